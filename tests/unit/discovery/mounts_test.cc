#include "agent/discovery/mounts.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

constexpr std::string_view kMounts =
    "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
    "30 22 0:26 / /proc rw,nosuid - proc proc rw\n"
    "41 22 0:40 / /usr/local rw,relatime shared:5 master:2 - nfs4 server:/local rw,vers=4.2\n"
    "42 22 0:41 / /mnt/a rw - fuse.sshfs a@b:/ rw,user_id=0\n"
    "43 42 0:42 / /mnt/a/cache rw - tmpfs tmpfs rw\n"
    "44 22 0:43 / /var/lib/docker rw - xfs /dev/vdb rw\n"
    "45 44 0:44 / /var/lib/docker rw - fuseblk /dev/vdc rw\n";

TEST(Mounts, TellTheFileSystemOfAPath) {
  const Mounts mounts(kMounts);
  EXPECT_EQ(mounts.file_system_of("/usr/lib/libssl.so.3"), "ext4");
  EXPECT_EQ(mounts.file_system_of("/usr/local/lib/libssl.so.3"), "nfs4");
  EXPECT_EQ(mounts.file_system_of("/usr/local"), "nfs4");
  EXPECT_EQ(mounts.file_system_of("/usr/localized"), "ext4");
  EXPECT_EQ(mounts.file_system_of("/mnt/a/bin"), "fuse");
  EXPECT_EQ(mounts.file_system_of("/mnt/a/cache/x"), "tmpfs");
  EXPECT_EQ(mounts.file_system_of("/var/lib/docker/containers"), "fuseblk") << "the later one";
}

TEST(Mounts, TellWhatIsMounted) {
  const Mounts mounts(
      "32 23 0:26 /machine /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n");
  ASSERT_EQ(mounts.all().size(), 1u);
  EXPECT_EQ(mounts.all()[0].id, 32u);
  EXPECT_EQ(mounts.all()[0].root, "/machine");
  EXPECT_EQ(mounts.all()[0].point, "/sys/fs/cgroup");
  EXPECT_EQ(mounts.all()[0].file_system, "cgroup2");
}

TEST(Mounts, WithoutATableNothingIsKnown) {
  EXPECT_EQ(Mounts("").file_system_of("/usr"), "");
  EXPECT_EQ(Mounts("22 1 254:1 /\n- - -\n").file_system_of("/usr"), "");
}

TEST(Mounts, OfThisProcessHaveARoot) {
  EXPECT_NE(Mounts::of_this_process().file_system_of("/"), "");
}

}  // namespace
}  // namespace exa
