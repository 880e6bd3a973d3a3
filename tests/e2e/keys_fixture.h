// The low-level cache of the real binary, over one store or two: for tests of values and leases.
#pragma once

#include <string>
#include <string_view>

#include "tests/e2e/disk_fixture.h"

namespace weir::test {

class Keys : public Disk {
 protected:
  static constexpr std::string_view kOn = "admin: 127.0.0.1:0\n";

  void run(std::string_view more = "") {
    begin(std::string(kOn) + std::string(more) + std::string(kCacheAll));
  }
  // One in memory, one on disk, and tiers of both as the default.
  void run_with_disk() {
    run("backends:\n"
        "  ram: { type: ram, max_size: 32MiB }\n"
        "  disk: { type: disk, cache_dir: " +
        dir() +
        ", min_free: 0, max_size: 64MiB, default_expire: 77 }\n"
        "default: [ram, disk]\n");
  }
  Response ask(std::string_view method, std::string_view target, std::string_view body = {},
               Fields fields = {}) {
    if (!fields.has("Host")) fields.add("Host", "127.0.0.1");
    return Client(weir().admin_port()).request(method, target, fields, body);
  }
  Response put(const std::string& key, std::string_view body, const std::string& query = "") {
    return ask("PUT", "/v1/keys/" + key + query, body);
  }
  Response get(const std::string& key, const std::string& query = "") {
    return ask("GET", "/v1/keys/" + key + query);
  }
  static std::string numbered(int number, std::size_t size) {
    std::string body = std::to_string(number) + ":";
    while (body.size() < size) body += static_cast<char>('a' + (body.size() * 7 + number) % 26);
    return body;
  }
};

}  // namespace weir::test
