# Tries to change what it was given to read, and to get more rights than it has. Prints one line for each thing it managed.
got() { printf 'GOT %s\n' "$1"; }
input=$MYCLOUD_INPUT

echo spoilt 2>/dev/null >>"$input/a.txt" && got 'written into its input'
rm -f "$input/a.txt" 2>/dev/null && [ ! -e "$input/a.txt" ] && got 'removed from its input'
chmod 777 "$input/a.txt" 2>/dev/null && got 'the mode of its input'
ln "$input/a.txt" /output/hard 2>/dev/null && echo spoilt 2>/dev/null >>/output/hard && got 'a hard link to the cache'
mount -o remount,rw "$input" 2>/dev/null && got 'its input mounted anew'
mount -t tmpfs none /tmp 2>/dev/null && got 'a mount'
umount "$input" 2>/dev/null && got 'its input unmounted'
umount -l /etc/shadow 2>/dev/null && got 'what covers the secrets of /etc'
mknod /output/disk b 8 0 2>/dev/null && got 'a device'
mknod /output/null c 1 3 2>/dev/null && got 'a device that does nothing'
chroot / true 2>/dev/null && got 'another root'
chown 12345 /output 2>/dev/null && got 'another owner'
hostname spoilt 2>/dev/null && [ "$(hostname)" = spoilt ] && got 'the name of the machine'
echo 1 2>/dev/null >/proc/sys/kernel/sysrq && got 'a setting of the kernel'
echo spoilt 2>/dev/null >/etc/spoilt && got 'written to /etc'
echo spoilt 2>/dev/null >/usr/spoilt && got 'written to /usr'

# In a user namespace one is root, of what lies in it.
inside=$(unshare -Urm sh -c "
  mount -o remount,bind,rw '$input' 2>/dev/null && echo spoilt >>'$input/a.txt' && echo remounted
  umount -l '$input' 2>/dev/null && ls '$input/a.txt' 2>/dev/null && echo unmounted
  umount -l /etc/shadow 2>/dev/null && cat /etc/shadow
" 2>/dev/null)
[ -n "$inside" ] && got "by a user namespace: $inside"

# A program of the worker's user that anybody may run as him.
cp /bin/sh /output/shell 2>/dev/null && chmod 6755 /output/shell
grep -q 'NoNewPrivs:.1' /proc/self/status || got 'programs that give it more rights'
grep -q 'CapEff:.0000000000000000' /proc/self/status || got 'capabilities'
echo done
