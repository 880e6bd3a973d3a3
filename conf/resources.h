// What the machine and the control groups around this process grant it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace weir::conf {

struct Resources {
  std::uint32_t cpus = 1;    // by affinity and quota, rounded up; at least 1
  std::uint64_t memory = 0;  // bytes: the machine's, or the limit if less; 0 unknown
  std::optional<std::uint64_t> memory_limit;  // of the control group (v2 or v1)
};

// `root` stands for "/" in tests: proc/self/cgroup and sys/fs/cgroup are read below it.
Resources detect_resources(const std::string& root = "/");

}  // namespace weir::conf
