#include "agent/discovery/program_rows.h"
#include "agent/discovery/program_table.h"

namespace exa {
namespace {

using enum Says;

constexpr auto kPython = rows(std::to_array<ProgramOption>({{"-c", kCode}, {"-m", kModule}}),
                              take_values("-W", "-X", "-Q", "--check-hash-based-pycs"));

constexpr auto kNode = rows(
    std::to_array<ProgramOption>({{"-e", kCode},
                                  {"--eval", kCode},
                                  {"-p", kCode},
                                  {"-pe", kCode},
                                  {"--print", kCode},
                                  {"--title", kName},
                                  {"--title=", kName},
                                  {"--run", kServesFolder}}),
    take_values(
        "-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions",
        "--env-file", "--env-file-if-exists", "--input-type", "--experimental-default-type",
        "--inspect-port", "--debug-port", "--inspect-publish-uid", "--watch-path",
        "--disable-warning", "--redirect-warnings", "--trace-require-module",
        "--unhandled-rejections", "--disable-proto", "--dns-result-order", "--max-http-header-size",
        "--network-family-autoselection-attempt-timeout", "--icu-data-dir", "--openssl-config",
        "--tls-cipher-list", "--tls-keylog", "--secure-heap", "--secure-heap-min",
        "--security-revert", "--security-reverts", "--use-largepages", "--allow-fs-read",
        "--allow-fs-write", "--experimental-policy", "--policy-integrity", "--diagnostic-dir",
        "--heapsnapshot-signal", "--heapsnapshot-near-heap-limit", "--cpu-prof-dir",
        "--cpu-prof-interval", "--cpu-prof-name", "--heap-prof-dir", "--heap-prof-interval",
        "--heap-prof-name", "--report-dir", "--report-directory", "--report-filename",
        "--report-signal", "--trace-event-categories", "--trace-event-file-pattern",
        "--snapshot-blob", "--build-snapshot-config", "--experimental-sea-config",
        "--experimental-config-file", "--localstorage-file", "--test-concurrency",
        "--test-name-pattern", "--test-skip-pattern", "--test-reporter",
        "--test-reporter-destination", "--test-shard", "--test-timeout", "--test-isolation",
        "--test-global-setup"));

constexpr std::string_view kNodeCommands[] = {"inspect", "debug"};

constexpr auto kJava = rows(
    std::to_array<ProgramOption>({{"-jar", kScriptFollows},
                                  {"-m", kModule},
                                  {"--module", kModule},
                                  {"--module=", kModule},
                                  {"-Dotel.service.name=", kName},
                                  {"-Dspring.application.name=", kName}}),
    take_values("-cp", "-classpath", "--class-path", "-p", "--module-path", "--upgrade-module-path",
                "--add-modules", "--limit-modules", "--add-exports", "--add-opens", "--add-reads",
                "--patch-module", "--enable-native-access", "--source", "-d", "--describe-module"));

constexpr auto kRuby =
    rows(std::to_array<ProgramOption>({{"-e", kCode},
                                       {"-0", kAttached},
                                       {"-F", kAttached},
                                       {"-i", kAttached},
                                       {"-K", kAttached},
                                       {"-T", kAttached},
                                       {"-W", kAttached},
                                       {"-x", kAttached}}),
         take_values("-C", "-X", "-E", "-I", "-r", "--encoding", "--external-encoding",
                     "--internal-encoding", "--enable", "--disable"));

constexpr auto kPerl = rows(std::to_array<ProgramOption>({{"-e", kCode},
                                                          {"-E", kCode},
                                                          {"-0", kAttached},
                                                          {"-C", kAttached},
                                                          {"-d", kAttached},
                                                          {"-D", kAttached},
                                                          {"-F", kAttached},
                                                          {"-i", kAttached},
                                                          {"-l", kAttached},
                                                          {"-m", kAttached},
                                                          {"-M", kAttached},
                                                          {"-x", kAttached}}),
                            take_values("-I"));

constexpr auto kPhp =
    rows(std::to_array<ProgramOption>({{"-r", kCode},
                                       {"--run", kCode},
                                       {"-R", kCode},
                                       {"--process-code", kCode},
                                       {"-f", kScript},
                                       {"--file", kScript},
                                       {"-F", kScript},
                                       {"--process-file", kScript},
                                       {"-S", kServesFolder},
                                       {"--server", kServesFolder},
                                       {"-t", kFolder},
                                       {"--docroot", kFolder}}),
         take_values("-c", "--php-ini", "-d", "--define", "-z", "--zend-extension", "-B",
                     "--process-begin", "-E", "--process-end", "-g"));

constexpr auto kDotnet = rows(
    std::to_array<ProgramOption>({{"--project", kScript}, {"--project=", kScript}}),
    take_values("--additionalprobingpath", "--additional-deps", "--depsfile", "--runtimeconfig",
                "--fx-version", "--roll-forward", "--roll-forward-on-no-candidate-fx", "-c",
                "--configuration", "-f", "--framework", "-r", "--runtime", "-a", "--arch",
                "--launch-profile", "-lp", "-v", "--verbosity"));
constexpr std::string_view kDotnetCommands[] = {"exec", "run", "watch", "test"};

constexpr auto kDeno =
    rows(std::to_array<ProgramOption>({{"--eval", kCode}}),
         take_values("-c", "--config", "--import-map", "-L", "--log-level", "--seed", "--location",
                     "--cert", "--ext", "--port", "--host", "--preload", "--require",
                     "--cached-only-dir", "--allow-scripts-dir", "--tunnel-name"));
constexpr std::string_view kDenoCommands[] = {"run", "serve", "watch", "test", "bench"};

constexpr auto kBun =
    rows(std::to_array<ProgramOption>({{"-e", kCode},
                                       {"--eval", kCode},
                                       {"-p", kCode},
                                       {"--print", kCode},
                                       {"--title", kName},
                                       {"--title=", kName},
                                       {"--cwd", kFolder},
                                       {"--cwd=", kFolder}}),
         take_values("-r", "--preload", "--require", "--import", "-c", "--env-file", "--port",
                     "--main-fields", "--extension-order", "--tsconfig-override", "-d", "--define",
                     "--drop", "-l", "--loader", "-F", "--filter", "--conditions", "--install",
                     "--user-agent", "--fetch-preconnect", "--max-http-header-size",
                     "--dns-result-order", "--elide-lines", "--shell", "--unhandled-rejections",
                     "--console-depth", "--jsx-factory", "--jsx-fragment", "--jsx-import-source",
                     "--jsx-runtime", "--cpu-prof-dir", "--cpu-prof-name", "--cron-title",
                     "--cron-period"));
constexpr std::string_view kBunCommands[] = {"run", "x", "exec"};

// Runs without an interpreter around it; its configuration names the application.
constexpr auto kUwsgi = rows(
    std::to_array<ProgramOption>(
        {{"-w", kApplication},          {"--module", kApplication}, {"--module=", kApplication},
         {"--wsgi", kApplication},      {"--wsgi=", kApplication},  {"--wsgi-file", kScriptGoOn},
         {"--wsgi-file=", kScriptGoOn}, {"--file", kScriptGoOn},    {"--file=", kScriptGoOn},
         {"--psgi", kScriptGoOn},       {"--psgi=", kScriptGoOn},   {"--rack", kScriptGoOn},
         {"--rack=", kScriptGoOn},      {"--ini", kScriptGoOn},     {"--ini=", kScriptGoOn},
         {"--yaml", kScriptGoOn},       {"--yaml=", kScriptGoOn},   {"--json", kScriptGoOn},
         {"--json=", kScriptGoOn},      {"--xml", kScriptGoOn},     {"--xml=", kScriptGoOn},
         {"-x", kScriptGoOn},           {"--chdir", kFolder},       {"--chdir=", kFolder}}),
    take_values(
        "-s", "--socket", "--uwsgi-socket", "--http", "--http-socket", "--https", "--https-socket",
        "--fastcgi-socket", "--scgi-socket", "--http-to", "--http-raw-body", "-p", "--processes",
        "--workers", "--threads", "-l", "--listen", "-z", "--socket-timeout", "--harakiri",
        "--buffer-size", "-b", "-L", "--logto", "--logto2", "--daemonize", "-d", "--daemonize2",
        "--pidfile", "--pidfile2", "--stats", "--uid", "--gid", "--chmod-socket", "--chown-socket",
        "-C", "--plugin", "--plugins", "--plugins-dir", "--mount", "--static-map", "--check-static",
        "--pythonpath", "--pp", "--python-path", "-H", "--home", "--virtualenv", "--venv",
        "--pyhome", "--callable", "--env", "--touch-reload", "--py-autoreload", "--max-requests",
        "--reload-on-rss", "--cheaper", "--master-fifo", "--procname-prefix",
        "--procname-prefix-spaced", "--procname", "--procname-master", "--procname-append",
        "--async", "--gevent", "-t", "--emperor", "--cache2", "--spooler", "--limit-as", "-j"));

constexpr Program kInterpreters[] = {
    {"python", kPython, {}, kScript},
    {"pypy", kPython, {}, kScript},
    {"nodejs", kNode, kNodeCommands, kScript, false},
    {"node", kNode, kNodeCommands, kScript, false},
    {"java", kJava, {}, kScript, false, true},
    {"ruby", kRuby, {}, kScript},
    {"perl", kPerl, {}, kScript},
    {"php", kPhp, {}, kScript},
    {"dotnet", kDotnet, kDotnetCommands, kScriptOrTask, false},
    {"deno", kDeno, kDenoCommands, kScriptOrTask, false},
    {"bun", kBun, kBunCommands, kScriptOrTask, false},
    {"uwsgi", kUwsgi, {}, kScriptGoOn, false},
};

// "3.11" of python3.11, "3.13t" of a build without the lock, ".exe" as npm ships bun.
bool is_version(std::string_view rest) {
  if (rest == ".exe" || rest == "-core") return true;
  const auto letters = rest.find_first_not_of("0123456789.");
  return letters == std::string_view::npos ||
         (letters > 0 && (rest.substr(letters) == "t" || rest.substr(letters) == "d"));
}

}  // namespace

const Program* interpreter_of(std::string_view executable) {
  for (const auto& program : kInterpreters)
    if (executable.starts_with(program.name) && is_version(executable.substr(program.name.size())))
      return &program;
  return nullptr;
}

}  // namespace exa
