# Two stages: Debian 12 builds, and what the agent needs to run is all of the image: the binary, the
# shared libraries it names, CA certificates. No shell, no package manager.
#
#   scripts/image [TAG]
FROM docker.io/library/debian:12-slim AS build
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      g++ cmake ninja-build pkg-config clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev libzydis-dev \
      libspdlog-dev libyaml-cpp-dev libcli11-dev nlohmann-json3-dev libprotozero-dev \
      libcurl4-openssl-dev libmicrohttpd-dev libcap-ng-dev libseccomp-dev ca-certificates
WORKDIR /source
COPY . .
RUN cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DEXA_BUILD_TESTS=OFF && \
    ninja -C build exemplar-agent
# The libraries that the loader finds, each at its place; names resolve by files and DNS.
RUN set -eu; root=/image; \
    install -D -s build/exemplar-agent "$root/usr/bin/exemplar-agent"; \
    ldd build/exemplar-agent | grep -o '/[^ ]*' | sort -u | while read -r library; do \
      install -D "$(readlink -f "$library")" "$root$library"; \
    done; \
    install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"; \
    printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"; \
    printf 'root:x:0:0::/:/\n' >"$root/etc/passwd"; \
    install -d -m 1777 "$root/tmp"; install -d "$root/run"; \
    find "$root" -exec touch -h -d @0 {} +; \
    chroot "$root" /usr/bin/exemplar-agent version

FROM scratch
COPY --from=build /image/ /
LABEL org.opencontainers.image.title="exemplar-agent" org.opencontainers.image.licenses="Apache-2.0"
# User 0 loads the programs; what parses captured bytes becomes user 2100009464 before the first of them.
ENTRYPOINT ["/usr/bin/exemplar-agent"]
CMD ["run"]
