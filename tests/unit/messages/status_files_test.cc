#include "agent/run/messages/status_files.h"

#include <gmock/gmock.h>

namespace exa {
namespace {

TEST(ServicesFile, ATornOneIsKnown) {
  const auto text = sealed(R"({"services":[]})");
  EXPECT_EQ(unsealed(text).value(), R"({"services":[]})");
  EXPECT_EQ(unsealed(text + "the end of a longer one").value(), R"({"services":[]})");
  EXPECT_FALSE(unsealed(text.substr(0, text.size() - 1)));
  auto torn = text;
  torn[torn.size() - 3] = 'x';
  EXPECT_FALSE(unsealed(torn));
  for (const char* other : {"", "x", "exemplar-agent services ", "exemplar-agent services \n",
                            "exemplar-agent services 2\n{}", "exemplar-agent services -1 0\n{}"})
    EXPECT_FALSE(unsealed(other)) << other;
}

}  // namespace
}  // namespace exa
