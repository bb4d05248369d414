# Calls what listens on the machine's own loopback, and the metadata that clouds give to whoever asks from inside.
for address in $ADDRESSES; do
  if command -v bash >/dev/null; then
    timeout 3 bash -c "exec 3<>/dev/tcp/$address && echo GOT $address" 2>/dev/null
  fi
done
echo done
