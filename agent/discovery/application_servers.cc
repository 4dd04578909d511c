#include "agent/discovery/program_rows.h"
#include "agent/discovery/program_table.h"

namespace exa {
namespace {

using enum Says;

constexpr auto kGunicorn =
    rows(std::to_array<ProgramOption>({{"-n", kName},
                                       {"--name", kName},
                                       {"--name=", kName},
                                       {"--chdir", kFolder},
                                       {"--chdir=", kFolder},
                                       {"--paste", kScriptGoOn},
                                       {"--paster", kScriptGoOn}}),
         take_values(
             "-c", "--config", "-b", "--bind", "--backlog", "-w", "--workers", "-k",
             "--worker-class", "--threads", "--worker-connections", "--max-requests",
             "--max-requests-jitter", "-t", "--timeout", "--graceful-timeout", "--keep-alive",
             "--limit-request-line", "--limit-request-fields", "--limit-request-field_size",
             "--reload-engine", "--reload-extra-file", "-e", "--env", "-p", "--pid",
             "--worker-tmp-dir", "-u", "--user", "-g", "--group", "-m", "--umask",
             "--access-logfile", "--access-logformat", "--error-logfile", "--log-file",
             "--log-level", "--logger-class", "--log-config", "--log-config-dict",
             "--log-config-json", "--log-syslog-to", "--log-syslog-prefix", "--log-syslog-facility",
             "--statsd-host", "--dogstatsd-tags", "--statsd-prefix", "--pythonpath", "--keyfile",
             "--certfile", "--ssl-version", "--cert-reqs", "--ca-certs", "--ciphers",
             "--forwarded-allow-ips", "--proxy-allow-from", "--forwarder-headers", "--header-map"));
constexpr auto kUvicorn = rows(
    std::to_array<ProgramOption>({{"--app-dir", kFolder}, {"--app-dir=", kFolder}}),
    take_values("--host", "--port", "--uds", "--fd", "--reload-dir", "--reload-include",
                "--reload-exclude", "--reload-delay", "--workers", "--loop", "--http", "--ws",
                "--ws-max-size", "--ws-max-queue", "--ws-ping-interval", "--ws-ping-timeout",
                "--ws-per-message-deflate", "--lifespan", "--interface", "--env-file",
                "--log-config", "--log-level", "--forwarded-allow-ips", "--root-path",
                "--limit-concurrency", "--backlog", "--limit-max-requests",
                "--limit-max-requests-jitter", "--timeout-keep-alive",
                "--timeout-graceful-shutdown", "--timeout-worker-healthcheck", "--ssl-keyfile",
                "--ssl-certfile", "--ssl-keyfile-password", "--ssl-version", "--ssl-cert-reqs",
                "--ssl-ca-certs", "--ssl-ciphers", "--header", "--h11-max-incomplete-event-size"));
constexpr auto kHypercorn = rows(
    take_values("-b", "--bind", "--insecure-bind", "--quic-bind", "-c", "--config", "-k",
                "--worker-class", "-w", "--workers", "-p", "--pid", "-u", "--user", "-g", "--group",
                "-m", "--umask", "--access-log", "--access-logfile", "--access-logformat",
                "--backlog", "--ca-certs", "--certfile", "--cert-reqs", "--ciphers", "--error-log",
                "--error-logfile", "--log-file", "--graceful-timeout", "--read-timeout",
                "--max-requests", "--max-requests-jitter", "--keep-alive", "--keyfile",
                "--keyfile-password", "--log-config", "--log-level", "--root-path", "--server-name",
                "--statsd-host", "--statsd-prefix", "--verify-mode", "--websocket-ping-interval"));
constexpr auto kDaphne = rows(
    take_values("-b", "--bind", "-p", "--port", "-e", "--endpoint", "-u", "--unix-socket", "--fd",
                "-v", "--verbosity", "-t", "--http-timeout", "--access-log", "--log-fmt",
                "--ping-interval", "--ping-timeout", "--application-close-timeout", "--root-path",
                "--proxy-headers-host", "--proxy-headers-port", "-s", "--server-name",
                "--websocket_timeout", "--websocket_connect_timeout"));
constexpr auto kGranian =
    rows(std::to_array<ProgramOption>({{"--process-name", kName},
                                       {"--process-name=", kName},
                                       {"--working-dir", kFolder},
                                       {"--working-dir=", kFolder}}),
         take_values(
             "--host", "--port", "--uds", "--uds-permissions", "--interface", "--http", "--workers",
             "--blocking-threads", "--blocking-threads-idle-timeout", "--runtime-threads",
             "--runtime-blocking-threads", "--runtime-mode", "--threads", "--loop", "--task-impl",
             "--backlog", "--backpressure", "--http1-buffer-size", "--http1-header-read-timeout",
             "--log-level", "--log-config", "--access-log-fmt", "--ssl-keyfile",
             "--ssl-certificate", "--ssl-keyfile-password", "--ssl-protocol-min", "--ssl-ca",
             "--ssl-crl", "--url-path-prefix", "--respawn-interval", "--workers-lifetime",
             "--workers-max-rss", "--workers-kill-timeout", "--env-files", "--static-path-route",
             "--static-path-mount", "--static-path-expires", "--pid-file", "--reload-paths"));
constexpr auto kWaitress =
    rows(std::to_array<ProgramOption>({{"--app", kApplication}, {"--app=", kApplication}}),
         take_values("--host", "--port", "--listen", "--threads", "--unix-socket"));
constexpr auto kFlask =
    rows(std::to_array<ProgramOption>(
             {{"-A", kApplication}, {"--app", kApplication}, {"--app=", kApplication}}),
         take_values("-e", "--env-file", "-h", "--host", "-p", "--port", "--cert", "--key",
                     "--extra-files", "--exclude-patterns"));
constexpr auto kCelery = rows(
    std::to_array<ProgramOption>({{"-A", kApplication},
                                  {"--app", kApplication},
                                  {"--app=", kApplication},
                                  {"--workdir", kFolder},
                                  {"--workdir=", kFolder}}),
    take_values("-b", "--broker", "--result-backend", "--loader", "--config", "-n", "--hostname",
                "-l", "--loglevel", "-c", "--concurrency", "-P", "--pool", "-Q", "--queues", "-X",
                "-O", "-f", "--logfile", "--pidfile", "-s", "--schedule", "-S", "-I", "--include"));
constexpr auto kFastApi = rows(
    std::to_array<ProgramOption>(
        {{"-e", kApplication}, {"--entrypoint", kApplication}, {"--entrypoint=", kApplication}}),
    take_values("--app", "--host", "--port", "--root-path", "--workers", "--forwarded-allow-ips",
                "--reload-dir"));
constexpr std::string_view kRun[] = {"run", "dev", "exec"};

constexpr auto kPuma =
    rows(std::to_array<ProgramOption>(
             {{"--tag", kName}, {"--tag=", kName}, {"--dir", kFolder}, {"--dir=", kFolder}}),
         take_values("-b", "--bind", "-C", "--config", "-e", "--environment", "-I", "--include",
                     "-p", "--port", "--pidfile", "--redirect-stdout", "--redirect-stderr", "-S",
                     "--state", "-t", "--threads", "-w", "--workers", "--control-url",
                     "--control-token", "--fork-worker"));
constexpr auto kUnicorn = rows(take_values(
    "-c", "--config-file", "-E", "--env", "-l", "--listen", "-o", "--host", "-p", "--port", "-s",
    "--server", "-r", "--require", "-I", "--include", "-e", "--eval", "--path", "-P", "--pid"));
constexpr auto kRails = rows(take_values("-p", "--port", "-b", "--binding", "-e", "--environment",
                                         "-c", "--config", "-u", "--using", "-P", "--pid"));
constexpr auto kThin =
    rows(std::to_array<ProgramOption>({{"--tag", kName},
                                       {"--tag=", kName},
                                       {"-c", kFolder},
                                       {"--chdir", kFolder},
                                       {"--chdir=", kFolder}}),
         take_values("-a", "--address", "-p", "--port", "-S", "--socket", "-R", "--rackup", "-C",
                     "--config", "-e", "--environment", "-A", "--adapter", "-s", "--servers", "-u",
                     "-g", "-l", "-P", "-r", "-m", "-t"));
constexpr auto kPlack = rows(
    std::to_array<ProgramOption>({{"-a", kScriptGoOn}, {"--app", kScriptGoOn}}),
    take_values("-e", "-I", "-M", "-s", "--server", "-E", "--env", "-o", "--host", "-p", "--port",
                "-l", "--listen", "-S", "--socket", "-L", "--loader", "-R", "--Reload", "--path",
                "--access-log", "--workers", "--backlog", "--max-requests", "--user", "--group",
                "--pid", "--error-log", "--ssl-cert", "--ssl-key", "--keepalive-timeout",
                "--read-timeout", "--spawn-interval", "--timeout", "-w", "--watch", "-m", "-b"));

constexpr Program kServers[] = {
    {"gunicorn", kGunicorn, {}, kApplication},
    {"uvicorn", kUvicorn, {}, kApplication},
    {"hypercorn", kHypercorn, {}, kApplication},
    {"daphne", kDaphne, {}, kApplication},
    {"granian", kGranian, {}, kApplication},
    {"waitress-serve", kWaitress, {}, kApplication},
    {"waitress", kWaitress, {}, kApplication},
    {"flask", kFlask, {}, kServesFolder},
    {"celery", kCelery, {}, kServesFolder},
    {"fastapi", kFastApi, kRun, kScriptGoOn},
    {"streamlit", {}, kRun, kScriptGoOn},
    {"puma", kPuma, {}, kServesFolder},
    {"pumactl", kPuma, {}, kServesFolder},
    {"unicorn", kUnicorn, {}, kScriptGoOn},
    {"unicorn_rails", kUnicorn, {}, kScriptGoOn},
    {"rackup", kUnicorn, {}, kScriptGoOn},
    {"rails", kRails, {}, kServesFolder},
    {"thin", kThin, {}, kServesFolder},
    {"falcon", {}, {}, kServesFolder},
    {"sidekiq", {}, {}, kServesFolder},
    {"bundle", {}, kRun, kScript},
    {"bundler", {}, kRun, kScript},
    {"starman", kPlack, {}, kScriptGoOn},
    {"plackup", kPlack, {}, kScriptGoOn},
    {"twiggy", kPlack, {}, kScriptGoOn},
    {"hypnotoad", kPlack, {}, kScriptGoOn},
    {"morbo", kPlack, {}, kScriptGoOn},
    {"ts-node", {}, {}, kScript},
    {"tsx", {}, kRun, kScript},
    {"nodemon", {}, {}, kScript},
    {"npm", {}, {}, kServesFolder},
    {"npm-cli", {}, {}, kServesFolder},
    {"yarn", {}, {}, kServesFolder},
    {"pnpm", {}, {}, kServesFolder},
    {"next", {}, {}, kServesFolder},
    {"nuxt", {}, {}, kServesFolder},
    {"org.springframework.boot.loader.JarLauncher", {}, {}, kServesFolder},
    {"org.springframework.boot.loader.WarLauncher", {}, {}, kServesFolder},
    {"org.springframework.boot.loader.PropertiesLauncher", {}, {}, kServesFolder},
    {"org.springframework.boot.loader.launch.JarLauncher", {}, {}, kServesFolder},
    {"org.springframework.boot.loader.launch.WarLauncher", {}, {}, kServesFolder},
    {"org.springframework.boot.loader.launch.PropertiesLauncher", {}, {}, kServesFolder},
};

}  // namespace

const Program* application_server_of(std::string_view name) {
  for (const auto& program : kServers)
    if (name == program.name) return &program;
  return nullptr;
}

}  // namespace exa
