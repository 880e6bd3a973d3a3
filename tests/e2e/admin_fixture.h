// The real binary with an admin address, and who asks it.
#pragma once

#include <string>
#include <string_view>

#include "tests/e2e/disk_fixture.h"

namespace weir::test {

class Admin : public Disk {
 protected:
  static constexpr std::string_view kOn = "admin: 127.0.0.1:0\n";

  void run(std::string_view more = "", std::string_view routes = kCacheAll) {
    begin(std::string(kOn) + std::string(more) + std::string(routes));
  }
  Response ask(std::string_view method, std::string_view target, std::string_view body = {},
               const Fields& fields = {}) {
    return Client(weir().admin_port()).request(method, target, with_host(fields), body);
  }
  Response purge(std::string_view body) { return ask("POST", "/v1/purge", body); }
  bool is_hit(const std::string& target, const Fields& fields = {}) {
    return status_of(target, fields).hit;
  }

 private:
  static Fields with_host(Fields fields) {
    if (!fields.has("Host")) fields.add("Host", "127.0.0.1");
    return fields;
  }
};

}  // namespace weir::test
