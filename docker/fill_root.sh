#!/bin/sh
# fill_root.sh PROGRAM ROOT: fills the root of an image that is made to run this program alone, on a
# Debian that has what it needs: the program, the libraries that it loads, CA certificates, who is
# who, and a folder for a cache. What comes from a package has that package's copyright with it, and
# its entry for scanners, as images without a package manager have it.
set -eu
program=$1 root=$2

# FILE: the same path in the image, whatever links lead to it here.
take() {
  mkdir -p "$root$(dirname "$1")"
  cp -L "$1" "$root$1"
  package=$(package_of "$1" || package_of "/usr$1" || package_of "${1#/usr}")
  describe "$package"
}

# Debian 13's C library moves its loader: "diversion by …" names no owner.
package_of() {
  found=$(dpkg-query -S "$1" 2>/dev/null | grep -v '^diversion ') || return 1
  echo "${found%%[:,]*}"
}

describe() {
  [ ! -e "$root/var/lib/dpkg/status.d/$1" ] || return 0
  mkdir -p "$root/var/lib/dpkg/status.d" "$root/usr/share/doc/$1"
  dpkg-query -s "$1" >"$root/var/lib/dpkg/status.d/$1"
  cp -L "/usr/share/doc/$1/copyright" "$root/usr/share/doc/$1/"
}

mkdir -p "$root/usr/local/bin" "$root/etc/ssl/certs" "$root/usr/lib/ssl" "$root/etc/weir" \
  "$root/tmp" "$root/var/cache/weir"
install -m 755 -s "$program" "$root/usr/local/bin/weir"

# "NAME => PATH (ADDRESS)", of the loader "PATH (ADDRESS)", and "NAME => not found".
loaded=$(ldd "$program")
case $loaded in
  *'not found'*)
    echo "fill_root.sh: $program needs libraries that are not here:" >&2
    echo "$loaded" | grep 'not found' >&2
    exit 1 ;;
esac
libraries=$(echo "$loaded" | sed -nE 's#^.*[[:space:]](/[^ ]+) \(.*#\1#p' | sort -u)
for library in $libraries; do
  take "$library"
done

# libcurl looks for the first, OpenSSL itself for the second.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
ln -s /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem"
describe ca-certificates

cp -L /etc/os-release /etc/debian_version "$root/etc/"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
printf '%s\n' 'root:x:0:0:root:/:/sbin/nologin' 'weir:x:10001:10001:weir:/:/sbin/nologin' \
  >"$root/etc/passwd"
printf '%s\n' 'root:x:0:' 'weir:x:10001:' >"$root/etc/group"

# A new volume is given to whom the folder under it belongs.
chown 10001:10001 "$root/var/cache/weir"
chmod 1777 "$root/tmp"
