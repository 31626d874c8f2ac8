"""SCTP by hand, for kernels without it: `sctp.py answer FAMILY ADDRESS PORT` answers each INIT with an INIT ACK;
`sctp.py call FAMILY ADDRESS PORT SOURCE-PORT` sends an INIT and prints who answered, or `timeout`."""
import socket, struct, sys

def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF

def packet(source, target, tag, kind):
    chunk = struct.pack("!BBHIIHHI", kind, 0, 20, 0x12345678, 65535, 1, 1, 1)
    if kind == 2:  # INIT ACK must carry a cookie.
        cookie = struct.pack("!HH4s", 7, 8, b"cook")
        chunk = struct.pack("!BBHIIHHI", 2, 0, 28, 0x9ABCDEF0, 65535, 1, 1, 1) + cookie
    head = struct.pack("!HHI", source, target, tag)
    crc = crc32c(head + b"\0\0\0\0" + chunk)
    return head + struct.pack("<I", crc) + chunk

def open_socket(family):
    return socket.socket(socket.AF_INET6 if family == "IPv6" else socket.AF_INET, socket.SOCK_RAW, 132)

def receive(sock, family):
    data, sender = sock.recvfrom(2048)
    if family == "IPv4":
        data = data[(data[0] & 15) * 4:]
    source, target, tag = struct.unpack("!HHI", data[:8])
    good = crc32c(data[:8] + b"\0\0\0\0" + data[12:]) == struct.unpack("<I", data[8:12])[0]
    return sender[0], source, target, data[12], data, good

role, family, address, port = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
sock = open_socket(family)
if role == "answer":
    sock.bind((address, 0))
    print("ready", flush=True)
    while True:
        sender, source, target, kind, data, good = receive(sock, family)
        if kind == 1 and target == port and good:
            tag = struct.unpack("!I", data[16:20])[0]
            sock.sendto(packet(target, source, tag, 2), (sender, 0))
else:
    own = int(sys.argv[5])
    sock.settimeout(3)
    sock.sendto(packet(own, port, 0, 1), (address, 0))
    try:
        while True:
            sender, source, target, kind, data, good = receive(sock, family)
            if target == own and kind == 2 and good:
                print(sender, source)
                break
    except TimeoutError:
        print("timeout")
