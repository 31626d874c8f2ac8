/*
 * Asks the C library's resolver as a program would, and prints what it says, one answer a line; a failure is its words, and exit code 1.
 *
 *   resolve addresses NAME     getaddrinfo: every address, once
 *   resolve name ADDRESS       getnameinfo: the name of an address
 *   resolve query NAME TYPE    res_query: the records of a type (a number), no search list
 *   resolve steadily NAME      getaddrinfo again and again, 20 ms apart, until SIGTERM; ten times a second how many
 *                              were answered and how many failed, the last failure, and the longest since the line before, as JSON
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int failed(int code) {
  printf("%s\n", gai_strerror(code));
  return 1;
}

static int addresses(const char *name) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  int code = getaddrinfo(name, NULL, &hints, &found);
  if (code != 0) return failed(code);
  for (struct addrinfo *each = found; each != NULL; each = each->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0) puts(text);
  }
  freeaddrinfo(found);
  return 0;
}

static int name_of(const char *address) {
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *parsed;
  char text[NI_MAXHOST];
  int code = getaddrinfo(address, NULL, &hints, &parsed);
  if (code == 0) code = getnameinfo(parsed->ai_addr, parsed->ai_addrlen, text, sizeof text, NULL, 0, NI_NAMEREQD);
  if (code != 0) return failed(code);
  puts(text);
  return 0;
}

static int query(const char *name, int type) {
  static unsigned char answer[65536];
  ns_msg message;
  int length = res_query(name, ns_c_in, type, answer, sizeof answer);
  if (length < 0 || ns_initparse(answer, length, &message) < 0) {
    printf("%s\n", h_errno == HOST_NOT_FOUND ? "HOST_NOT_FOUND" : h_errno == NO_DATA ? "NO_DATA" : "failed");
    return 1;
  }
  for (int at = 0; at < ns_msg_count(message, ns_s_an); at++) {
    ns_rr record;
    char text[1025] = "?";
    if (ns_parserr(&message, ns_s_an, at, &record) < 0) return failed(EAI_FAIL);
    const unsigned char *data = ns_rr_rdata(record);
    int type = ns_rr_type(record), skip = type == ns_t_srv ? 6 : 0;
    if (type == ns_t_a) inet_ntop(AF_INET, data, text, sizeof text);
    else if (type == ns_t_aaaa) inet_ntop(AF_INET6, data, text, sizeof text);
    else if (type == ns_t_srv || type == ns_t_ptr || type == ns_t_cname)
      dn_expand(ns_msg_base(message), ns_msg_end(message), data + skip, text, sizeof text);
    else if (type == ns_t_txt) snprintf(text, sizeof text, "%.*s", data[0], data + 1);
    if (skip > 0) printf("%d %d %d ", data[0] << 8 | data[1], data[2] << 8 | data[3], data[4] << 8 | data[5]);
    puts(text);
  }
  return 0;
}

static volatile sig_atomic_t ending;
static void end(int signal) {
  (void)signal;
  ending = 1;
}

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static int steadily(const char *name) {
  long answered = 0, failures = 0;
  double longest = 0, said = 0;
  char last[128] = "";
  signal(SIGTERM, end);
  while (!ending) {
    double began = milliseconds(), took;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    int code = getaddrinfo(name, NULL, &hints, &found);
    took = milliseconds() - began;
    if (took > longest) longest = took;
    if (code == 0) {
      answered++;
      freeaddrinfo(found);
    } else {
      failures++;
      snprintf(last, sizeof last, "%s after %.0f ms", gai_strerror(code), took);
    }
    if (milliseconds() - said >= 100 || ending) {
      printf("{\"answered\":%ld,\"failed\":%ld,\"last\":\"%s\",\"longest\":%.0f}\n", answered, failures, last, longest);
      fflush(stdout);
      said = milliseconds();
      longest = 0;
    }
    usleep(20000);
  }
  return 0;
}

int main(int count, char **words) {
  if (count == 3 && strcmp(words[1], "addresses") == 0) return addresses(words[2]);
  if (count == 3 && strcmp(words[1], "name") == 0) return name_of(words[2]);
  if (count == 4 && strcmp(words[1], "query") == 0) return query(words[2], atoi(words[3]));
  if (count == 3 && strcmp(words[1], "steadily") == 0) return steadily(words[2]);
  fprintf(stderr, "usage: resolve addresses NAME | name ADDRESS | query NAME TYPE | steadily NAME\n");
  return 2;
}
