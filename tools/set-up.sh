# shellcheck shell=sh
# Installs what the kiosk needs on Debian 12, Debian 13 and Raspberry Pi OS. Read (`.`) by ./run, ./test and
# systemd/install with $root set to the repository. All of it can be run again, and is quick when nothing is missing.

root=${root:?}
python=/usr/bin/python3 # Debian's own: the first one on PATH may be another, which no Debian package serves

running_packages="
    alsa-utils ca-certificates espeak-ng gcc python3 python3-dev python3-venv tzdata
    libpcsclite-dev pcscd
    libegl1 libgl1 libgl1-mesa-dri libmtdev1 libseccomp2
    libusb-1.0-0 libzbar0"
testing_packages="
    chromium chromium-driver cups-ipp-utils dbus-daemon default-jre-headless libjaxb-api-java libnss3-tools
    libpdfbox2-java poppler-utils postgresql systemd udev vsmartcard-vpcd xdotool xvfb"

fail() {
    echo "$0: $*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "cannot run '$*': you are not root, and sudo is not here"
    fi
}

# Debian 13 gave some libraries a new name with "t64" at its end.
is_installed() {
    dpkg-query --show --showformat='${db:Status-Status}\n' "$1" "$1t64" 2>/dev/null | grep -qx installed
}

install_debian_packages() {
    command -v dpkg-query >/dev/null || fail "this set-up is for Debian and its relatives; dpkg is not here"
    missing=
    for package in "$@"; do
        is_installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    echo "Installing Debian packages:$missing"
    as_root apt-get -qq update || echo "Some package lists could not be fetched (no network?); trying all the same."
    # shellcheck disable=SC2086  # a list of names
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o Dpkg::Use-Pty=0 install --no-install-recommends --yes $missing ||
        fail "not installed, for the reason above. As root, by hand: apt-get install$missing"
}

# Kivy has no wheel for 64-bit ARM and Python 3.12 or newer. Debian has the same version there.
kivy_is_from_debian() {
    [ "$(uname -m)" = aarch64 ] && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))'
}

# make_virtual_environment DIRECTORY
make_virtual_environment() {
    "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' ||
        fail "$python is $("$python" --version 2>&1); the kiosk needs Python 3.11, 3.12 or 3.13"
    system_packages=
    if kivy_is_from_debian; then
        install_debian_packages python3-kivy
        system_packages=--system-site-packages
    fi
    # Made anew: an environment of another Python (after an upgrade of Debian), or one that was not finished.
    version='import sys; print(sys.version_info[:2])'
    if [ ! -x "$1/bin/pip" ] || [ "$("$1/bin/python" -c "$version" 2>/dev/null)" != "$("$python" -c "$version")" ]; then
        # shellcheck disable=SC2086  # nothing, or one option
        "$python" -m venv --clear $system_packages "$1" || fail "the virtual environment $1 could not be made"
    fi
}

# install_python_packages ENVIRONMENT REQUIREMENT...
install_python_packages() {
    environment=$1
    shift
    "$environment/bin/pip" install --quiet --disable-pip-version-check --constraint "$root/constraints.txt" "$@" ||
        fail "Python packages could not be installed into $environment; pip says above why (no network?)"
}

# set_up_clone run|test: what ./run or ./test needs. The fingerprint makes the second time quick.
set_up_clone() {
    # shellcheck disable=SC2086  # lists of names
    case $1 in
    run) extras= && install_debian_packages $running_packages ;;
    test) extras='[test]' && install_debian_packages $running_packages $testing_packages ;;
    esac
    fingerprint=$(cat "$root/setup.cfg" "$root/constraints.txt" "$root/tools/set-up.sh" | sha256sum)
    fingerprint="$fingerprint $root $("$python" --version)"
    done_mark=$root/.venv/set-up-for-$1
    [ "$(cat "$done_mark" 2>/dev/null)" != "$fingerprint" ] || return 0
    echo "Installing Python packages into $root/.venv (the first time takes a minute or two)"
    make_virtual_environment "$root/.venv"
    install_python_packages "$root/.venv" --editable "$root$extras"
    echo "$fingerprint" >"$done_mark" || fail "$root/.venv cannot be written; it may belong to another user"
}
