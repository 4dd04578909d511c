#include "agent/commands/check_report.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "agent/config/config.h"
#include "agent/kernel/features.h"
#include "agent/model/exit_codes.h"
#include "agent/privilege/single_instance.h"
#include "exporters/page/listen_socket.h"

namespace exa {
namespace {

using kernel::Feature;
using kernel::FeatureId;
using kernel::KernelFeatures;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

KernelFeatures features_with(bool uprobe_multi, bool probe_guard) {
  return {.release = "6.18.0",
          .lockdown = "none",
          .features = {{.id = FeatureId::kBtf,
                        .name = "BTF",
                        .present = true,
                        .required = true,
                        .cost_of_lack = {}},
                       {.id = FeatureId::kSweep,
                        .name = "iterator",
                        .required = true,
                        .cost_of_lack = "positions go stale"},
                       {.id = FeatureId::kUprobeMulti,
                        .name = "uprobe_multi links",
                        .present = uprobe_multi,
                        .cost_of_lack = "TLS cannot be read"},
                       {.id = FeatureId::kProbeGuard,
                        .name = "guard",
                        .present = probe_guard,
                        .cost_of_lack = {}}},
          .rung_sentence = "Captures through x."};
}

TEST(CheckReport, TellsOfEachFeatureAndWhatItsLackCosts) {
  EXPECT_EQ(features_text(features_with(false, true)),
            "Linux 6.18.0, lockdown: none\n"
            "\n"
            "  yes  BTF\n"
            "  NO   iterator            positions go stale\n"
            "  no   uprobe_multi links  TLS cannot be read\n"
            "  yes  guard\n"
            "\n"
            "Captures through x.\n");
}

TEST(CheckReport, SaysWhyTlsStaysUnread) {
  EXPECT_THAT(unread_tls_text(features_with(false, true)), HasSubstr("no uprobe_multi links"));
  EXPECT_THAT(unread_tls_text(features_with(true, false)), HasSubstr("could crash this kernel"));
  EXPECT_THAT(unread_tls_text(features_with(true, true)), IsEmpty());
}

TEST(CheckReport, TellsWhatReadersFoundInALibrary) {
  ReadFile readable;
  readable.plan.verdict = TlsVerdict::kReadable;
  readable.plan.sites = {{.library = TlsLibrary::kOpenSsl,
                          .role = TlsRole::kSslRead,
                          .point = ProbePoint::kEntry,
                          .file_offset = 16},
                         {.library = TlsLibrary::kOpenSsl,
                          .role = TlsRole::kSslRead,
                          .point = ProbePoint::kReturn,
                          .file_offset = 32}};
  EXPECT_EQ(library_text("/lib/libssl.so.3", readable),
            "  /lib/libssl.so.3                                  OpenSSL, 2 probes\n");
  ReadFile rustls;
  rustls.plan.verdict = TlsVerdict::kRustls;
  EXPECT_THAT(library_text("/usr/bin/granian", rustls), HasSubstr("  rustls: Rust inlines"));
  EXPECT_THAT(library_text("/lib/x.so", std::unexpected(Unread::kNoReader)),
              HasSubstr(std::string(sentence(Unread::kNoReader))));
}

TEST(CheckReport, TellsWhatConfinementLeaves) {
  Config config;
  config.pipeline.uid = 4711;
  EXPECT_THAT(confinement_text(config, 6),
              AllOf(HasSubstr("runs as user 4711 "), HasSubstr("(version 6)"),
                    HasSubstr("the files and TCP ports it needs")));
  EXPECT_THAT(confinement_text(config, 3), HasSubstr("the files it needs"));
  EXPECT_THAT(confinement_text(config, fail("it is off")),
              AllOf(HasSubstr("any TCP port, because\n  it is off.\n"), Not(HasSubstr("version"))));
}

TEST(CheckReport, TellsHowResultsGetOut) {
  Config config;
  config.openmetrics = {.enabled = true, .host = "::1", .port = 9464};
  EXPECT_THAT(ways_out_text(config),
              AllOf(HasSubstr("targets: [\"[::1]:9464\"]"), HasSubstr("--otlp-endpoint URL")));
  config.openmetrics.enabled = false;
  config.otlp.traces.endpoint = "http://collector:4318/v1/traces";
  EXPECT_EQ(ways_out_text(config), "");
}

TEST(CheckReport, NamesWhatIsTakenAndWhatRunWouldEndWith) {
  const auto lock = std::filesystem::temp_directory_path() /
                    ("exemplar-check-" + std::to_string(getpid()) + ".lock");
  Config config;
  config.lock_path = lock;
  config.openmetrics = {.enabled = true, .host = "127.0.0.1", .port = 0};
  EXPECT_EQ(what_is_taken(config).exit_code, kExitOk);
  EXPECT_EQ(what_is_taken(config).text, "");

  const auto busy = listen_on("127.0.0.1", 0);
  ASSERT_TRUE(busy);
  config.openmetrics.port = bound_port(*busy);
  EXPECT_EQ(what_is_taken(config).exit_code, kExitFailure);
  EXPECT_THAT(what_is_taken(config).text, HasSubstr(std::to_string(config.openmetrics.port)));

  const auto other = lock_instance(lock);
  ASSERT_TRUE(other && other->acquired());
  const auto both = what_is_taken(config);
  EXPECT_EQ(both.exit_code, kExitSecondInstance) << "of that, run hears first";
  EXPECT_THAT(both.text, HasSubstr("another agent is already running"));
  std::filesystem::remove(lock);
}

}  // namespace
}  // namespace exa
