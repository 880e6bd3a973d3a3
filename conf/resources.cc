#include "conf/resources.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace weir::conf {
namespace {

std::optional<std::string> first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

// The first number in a file; empty for "max", "-1" and whatever else is no number.
std::optional<std::uint64_t> read_number(const std::string& path) {
  const std::optional<std::string> line = first_line(path);
  return line ? parse_decimal(trim_ows(*line)) : std::nullopt;
}

std::uint64_t cpus_of_quota(std::uint64_t quota, std::uint64_t period) {
  return period == 0 ? 1 : std::max<std::uint64_t>(1, (quota + period - 1) / period);
}

// One group's grants.
struct Grant {
  std::optional<std::uint64_t> cpus;
  std::optional<std::uint64_t> memory;

  void lower(const Grant& other) {
    if (other.cpus) cpus = std::min(cpus.value_or(UINT64_MAX), *other.cpus);
    if (other.memory) memory = std::min(memory.value_or(UINT64_MAX), *other.memory);
  }
};

Grant read_v2(const std::string& folder) {
  Grant grant;
  grant.memory = read_number(folder + "/memory.max");
  if (const auto line = first_line(folder + "/cpu.max")) {
    const std::size_t space = line->find(' ');
    const auto quota = parse_decimal(line->substr(0, space));
    const auto period =
        space == std::string::npos ? std::nullopt : parse_decimal(line->substr(space + 1));
    if (quota && period) grant.cpus = cpus_of_quota(*quota, *period);
  }
  return grant;
}

Grant read_v1_cpu(const std::string& folder) {
  Grant grant;
  const auto quota = read_number(folder + "/cpu.cfs_quota_us");
  const auto period = read_number(folder + "/cpu.cfs_period_us");
  if (quota && period) grant.cpus = cpus_of_quota(*quota, *period);
  return grant;
}

Grant read_v1_memory(const std::string& folder) {
  Grant grant;
  grant.memory = read_number(folder + "/memory.limit_in_bytes");
  return grant;
}

// The group's own grant and those of all above it. Inside a container the path may be the
// host's while only the group itself is mounted; the mount point is therefore always read.
Grant read_upwards(const std::string& mount, std::string path, Grant (*read)(const std::string&)) {
  Grant grant = read(mount);
  while (!path.empty() && path != "/") {
    grant.lower(read(mount + path));
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
  return grant;
}

bool lists(std::string_view controllers, std::string_view name) {
  bool found = false;
  for_each_list_element(controllers, [&](std::string_view one) { found = found || one == name; });
  return found;
}

Grant read_groups(const std::string& root) {
  const std::string mount = root + "sys/fs/cgroup";
  Grant grant;
  std::ifstream file(root + "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    // "hierarchy:controllers:path"
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) grant.lower(read_upwards(mount, path, read_v2));
    if (lists(controllers, "cpu")) grant.lower(read_upwards(mount + "/cpu", path, read_v1_cpu));
    if (lists(controllers, "memory")) {
      grant.lower(read_upwards(mount + "/memory", path, read_v1_memory));
    }
  }
  return grant;
}

std::uint64_t affinity_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    return static_cast<std::uint64_t>(std::max(1, CPU_COUNT(&set)));
  }
  return static_cast<std::uint64_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

std::uint64_t physical_memory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return 0;
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page);
}

}  // namespace

Resources detect_resources(const std::string& root) {
  const Grant grant = read_groups(root);
  Resources out;
  out.cpus = static_cast<std::uint32_t>(std::min(affinity_cpus(), grant.cpus.value_or(UINT64_MAX)));
  out.memory = physical_memory();
  // "No limit" is a huge number in v1.
  if (grant.memory && (out.memory == 0 || *grant.memory < out.memory)) {
    out.memory_limit = grant.memory;
    out.memory = *grant.memory;
  }
  return out;
}

}  // namespace weir::conf
