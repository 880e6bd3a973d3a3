#include "conf/resources.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace weir::conf {
namespace {

// A folder that stands for "/", gone with the test.
class ResourcesTest : public ::testing::Test {
 protected:
  ResourcesTest() {
    std::string name = (std::filesystem::temp_directory_path() / "weir-XXXXXX").string();
    root_ = mkdtemp(name.data());
  }
  ~ResourcesTest() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path full = std::filesystem::path(root_) / path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }
  Resources detect() const { return detect_resources(root_ + "/"); }

  std::string root_;
};

TEST_F(ResourcesTest, WithoutGroupsTheMachineCounts) {
  // No control group: no limit, at least one CPU, the machine's memory.
  const Resources resources = detect();
  EXPECT_GE(resources.cpus, 1U);
  EXPECT_GT(resources.memory, 0U);
  EXPECT_FALSE(resources.memory_limit);
}

TEST_F(ResourcesTest, VersionTwoTakesTheLeastOnTheWayUp) {
  // The tightest of the group and all above it holds.
  write("proc/self/cgroup", "0::/a/b\n");
  write("sys/fs/cgroup/a/memory.max", "67108864\n");
  write("sys/fs/cgroup/a/b/memory.max", "134217728\n");
  write("sys/fs/cgroup/a/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
  const Resources resources = detect();
  EXPECT_EQ(resources.memory_limit, 67108864U);
  EXPECT_EQ(resources.memory, 67108864U);
  EXPECT_EQ(resources.cpus, 1U);
}

TEST_F(ResourcesTest, VersionTwoInsideItsOwnNamespace) {
  // In a container the group is mounted at the root; "max" is no limit.
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/memory.max", "max\n");
  EXPECT_FALSE(detect().memory_limit);
  write("sys/fs/cgroup/memory.max", "33554432\n");
  EXPECT_EQ(detect().memory_limit, 33554432U);
}

TEST_F(ResourcesTest, VersionOneHasAFolderPerController) {
  // Limits of version 1 are found although the path is the host's; -1 is no quota.
  write("proc/self/cgroup", "4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "67108864\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  const std::uint32_t unlimited = detect().cpus;
  EXPECT_EQ(detect().memory_limit, 67108864U);
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "20000\n");
  EXPECT_EQ(detect().cpus, 1U);
  EXPECT_GE(unlimited, 1U);
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_FALSE(detect().memory_limit);
}

}  // namespace
}  // namespace weir::conf
