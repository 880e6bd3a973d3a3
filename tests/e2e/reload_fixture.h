// A process that is given other configurations while it runs.
#pragma once

#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/e2e/disk_fixture.h"

namespace weir::test {

class Reload : public Disk {
 protected:
  static constexpr std::string_view kAdmin = "admin: 127.0.0.1:0\n";

  // Has config(yaml) in force on every worker.
  void reload(std::string_view yaml) { reload_with(yaml, "info reloaded"); }
  // The same where it is not to be had: the log says so, and this.
  void reload_in_vain(std::string_view yaml, std::string_view why) {
    reload_with(yaml, "not reloaded: the old configuration stays");
    EXPECT_THAT(weir().log_text(), testing::HasSubstr(std::string(why)));
  }
  // The port of the address that it began to listen on last.
  std::uint16_t newest_port() {
    const std::string address = weir().log_behind(" listening on ").back();
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  Response ask_admin(std::uint16_t port, std::string_view method, std::string_view target,
                     std::string_view body = {}, Fields fields = {}) {
    fields.add("Host", "127.0.0.1");
    return Client(port).request(method, target, fields, body);
  }
  bool refuses(std::uint16_t port) const {
    try {
      return Client(port).closed();
    } catch (const std::system_error&) {
      return true;
    }
  }

 private:
  void reload_with(std::string_view yaml, std::string_view last_line) {
    const int before = log_lines(last_line);
    weir().write_config(config(yaml));
    weir().process().signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return log_lines(last_line) == before + 1; }))
        << weir().log_text();
  }
};

}  // namespace weir::test
