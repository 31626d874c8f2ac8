#!/bin/sh
# The first process inside user-mode Linux: makes a small machine, does the job of the scratch folder in it, and turns it off.
# The root is the host's own file system, read-only; FAIRLEAD_SCRATCH, from the kernel's command line, is the one place to write to.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH HOME=/tmp LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir -p /run/netns /run/scratch /run/modules/lib/modules
mount -t hostfs -o "$FAIRLEAD_SCRATCH" none /run/scratch
mount -t tmpfs tmpfs /tmp
# A checkout under /tmp is where it was.
case "$FAIRLEAD_ROOT" in
/tmp/*) mkdir -p "$FAIRLEAD_ROOT" && mount -t hostfs -o "$FAIRLEAD_ROOT",ro none "$FAIRLEAD_ROOT" ;;
esac
ln -s "/usr/lib/uml/modules/$(uname -r)" /run/modules/lib/modules/
while read -r module; do modprobe -d /run/modules "$module" || echo "no kernel module $module"; done </run/scratch/modules
ip link set lo up
sh /run/scratch/job.sh >/run/scratch/stdout 2>/run/scratch/stderr </dev/null
echo $? >/run/scratch/status
sync
halt -f -p -d
