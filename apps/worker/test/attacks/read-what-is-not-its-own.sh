# Looks for what belongs to the machine, the server, its worker and other jobs. Prints one line for each thing it got.
# Where to look it is told by its environment; what it looks for holds a word that must not stand here, in its own command line.
got() { printf 'GOT %s: %s\n' "$1" "$(printf %s "$2" | head -c 200 | tr '\n\0' '  ')"; }

for file in $SECRET_FILES /etc/shadow /etc/gshadow /etc/ssh/ssh_host_ed25519_key /root/.ssh/id_rsa /root/.bash_history; do
  text=$(cat "$file" 2>/dev/null) && [ -n "$text" ] && got "$file" "$text"
done
for folder in $SECRET_FOLDERS /root /home /var/lib /run/user /mnt /media; do
  text=$(ls -A "$folder" 2>/dev/null) && [ -n "$text" ] && [ "$text" != job ] && got "the list of $folder" "$text"
done

# Of other processes: what they were started with, where they are, what they hold open, what is in their memory.
for process in /proc/[0-9]*; do
  for part in environ cmdline; do
    text=$(tr '\0' '\n' <"$process/$part" 2>/dev/null | grep 'c[a]nary') && got "$process/$part" "$text"
  done
  text=$(ls -A "$process/root/$(dirname "$OTHER_OUTPUT")" 2>/dev/null) && got "$process/root" "$text"
done
text=$(dd if="/proc/$WORKER_PID/mem" bs=1 count=1 skip=4096 2>/dev/null) && [ -n "$text" ] && got 'the memory of the worker' yes
kill -0 "$WORKER_PID" 2>/dev/null && [ "$(cat "/proc/$WORKER_PID/comm" 2>/dev/null)" = node ] && got 'the worker, to be killed' yes

# A link in its output leads to the machine only for those who follow it there.
ln -s /etc/shadow /output/linked 2>/dev/null
cat /output/linked 2>/dev/null | grep -q : && got 'a link' yes

# The engine's and the system's sockets.
for socket in /var/run/docker.sock /run/docker.sock /run/podman/podman.sock /run/systemd/private /run/dbus/system_bus_socket; do
  [ -S "$socket" ] && got "$socket" 'a socket'
done
echo done
