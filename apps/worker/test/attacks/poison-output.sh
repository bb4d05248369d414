# Leaves in its output what whoever saves it could stumble over.
cd /output
ln -s /etc/passwd absolute
ln -s ../../../../../../etc/passwd relative
ln -s / everything
ln -s loop loop
mkfifo fifo
mkdir -p locked && echo kept >locked/inside && chmod 000 locked/inside
cp /bin/sh setuid && chmod 6755 setuid
printf 'kept' >'a
name of two lines'
echo kept >"$(printf 'x%.0s' $(seq 1 250))"
echo kept >fine
echo done
