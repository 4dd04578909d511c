# shellcheck shell=bash
# Units of systemd that packages enable when they are installed. Sourced; works on the files alone,
# so also where systemd does not run, as in a container that becomes an image.

# enabled_units ROOT: their names, one a line.
enabled_units() {
  find "$1/etc/systemd/system" -mindepth 2 -maxdepth 2 -type l -path '*.wants/*' -printf '%f\n' \
    2>/dev/null | sort -u
}

# disable_units_but ROOT BEFORE: those that are enabled now and were not then.
disable_units_but() {
  local unit
  comm -13 <(printf '%s\n' "$2") <(enabled_units "$1") | while read -r unit; do
    systemctl --root="$1" disable --quiet "$unit" 2>/dev/null ||
      find "$1/etc/systemd/system" -mindepth 2 -maxdepth 2 -type l -name "$unit" -delete
  done
}
