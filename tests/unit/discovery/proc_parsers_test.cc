#include "agent/discovery/proc_parsers.h"

#include <gmock/gmock.h>

namespace exa {
namespace {

using namespace std::string_literals;

// Field 4 is the parent, field 22 the start.
std::string stat_of(const std::string& comm) {
  return "4242 (" + comm +
         ") S 17 4242 4242 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1024 5 18446744073709551615"
         " 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n";
}

TEST(ProcStat, NamesMayHoldAnything) {
  for (const auto& comm : {"nginx"s, "a b"s, ")"s, "(x) R 1 2 3"s, "line\nbreak"s, ""s,
                           ") S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 0 0 0 0 1"s}) {
    const auto stat = parse_proc_stat(stat_of(comm));
    ASSERT_TRUE(stat) << comm;
    EXPECT_EQ(stat->comm, comm);
    EXPECT_EQ(stat->parent, 17u);
    EXPECT_EQ(stat->start_ticks, 987654u);
  }
}

TEST(ProcStat, WhatIsNoStatIsNothing) {
  const auto whole = stat_of("x");
  for (const auto& text :
       {""s, "1"s, "1 (x"s, "1 x) S"s, ")("s, "1 (x) S"s, "1 (x)S 17"s,
        whole.substr(0, whole.find("987654")),
        "1 (x) S -1 "s + whole.substr(whole.find("4242 4242")),
        "1 (x) S 17 1 1 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 99999999999999999999 1"s})
    EXPECT_FALSE(parse_proc_stat(text)) << text;
}

TEST(ProcCgroup, TheUnifiedPathComesFirst) {
  EXPECT_EQ(parse_cgroup("0::/system.slice/nginx.service\n"), "/system.slice/nginx.service");
  EXPECT_EQ(parse_cgroup("1:name=systemd:/a\n0::/b\n"), "/b");
}

TEST(ProcCgroup, HybridHierarchiesNameWhatSaysMore) {
  EXPECT_EQ(parse_cgroup("2:memory:/docker/x\n1:name=systemd:/\n0::/\n"), "/docker/x");
  EXPECT_EQ(parse_cgroup("2:memory:/m\n1:name=systemd:/s\n0::/\n"), "/s");
  EXPECT_EQ(parse_cgroup("0::/\n"), "/");
  EXPECT_EQ(parse_cgroup(""), "");
  EXPECT_EQ(parse_cgroup("nonsense\n::\n:::\n3:cpu"), "");
}

TEST(ProcCgroup, AColonInAPathIsPartOfIt) {
  EXPECT_EQ(parse_cgroup("0::/kubepods/pod:1:x\n"), "/kubepods/pod:1:x");
}

TEST(ProcEnviron, FindsOnlyTheTwoVariables) {
  const auto found = parse_environ(
      "PATH=/bin\0OTEL_SERVICE_NAME=shop\0XOTEL_SERVICE_NAME=no\0"
      "OTEL_RESOURCE_ATTRIBUTES=a=b,c=d\0SECRET=canary\0"s);
  EXPECT_EQ(found.service_name, "shop");
  EXPECT_EQ(found.resource_attributes, "a=b,c=d");
}

TEST(ProcEnviron, AVariableThatTheBoundCutIsLeftOut) {
  EXPECT_EQ(parse_environ("OTEL_SERVICE_NAME=sho"s).service_name, "");
  EXPECT_EQ(parse_environ("\0\0\0"s).service_name, "");
}

TEST(SystemdUnit, NamesServicesAndNothingElse) {
  EXPECT_EQ(systemd_unit("/system.slice/nginx.service"), "nginx");
  EXPECT_EQ(systemd_unit("/system.slice/system-getty.slice/getty@tty1.service"), "getty@tty1");
  EXPECT_EQ(systemd_unit("/system.slice/my\\x2dapp.service"), "my-app");
  EXPECT_EQ(systemd_unit("/user.slice/user-1000.slice/user@1000.service/app.slice/web.service"),
            "web");
  EXPECT_EQ(systemd_unit("/user.slice/user-1000.slice/session-3.scope"), "");
  EXPECT_EQ(systemd_unit("/user.slice/user-1000.slice/user@1000.service"), "");
  EXPECT_EQ(systemd_unit("/system.slice/docker-" + std::string(64, 'a') + ".scope"), "");
  EXPECT_EQ(systemd_unit("/.service"), "");
  EXPECT_EQ(systemd_unit(""), "");
}

TEST(ContainerId, IsKnownByItsDigits) {
  const std::string id(64, 'b');
  EXPECT_EQ(container_id("/docker/" + id), id);
  EXPECT_EQ(container_id("/system.slice/docker-" + id + ".scope"), id);
  EXPECT_EQ(container_id("/kubepods.slice/pod1.slice/cri-containerd-" + id + ".scope"), id);
  EXPECT_EQ(container_id("/machine.slice/libpod-" + id + ".scope/container"), id);
  EXPECT_EQ(container_id("/docker/" + std::string(63, 'b')), "");
  EXPECT_EQ(container_id("/docker/" + std::string(65, 'b')), "");
  EXPECT_EQ(container_id("/docker/" + std::string(64, 'G')), "");
  EXPECT_EQ(container_id(""), "");
}

}  // namespace
}  // namespace exa
