#include "tests/support/cache_status.h"

namespace weir::test {

CacheStatus cache_status(const Response& response) {
  CacheStatus status;
  status.text = response.fields.joined("Cache-Status");
  if (!status.text.starts_with("weir")) throw std::runtime_error("Cache-Status: " + status.text);
  std::size_t at = 4;
  while (at < status.text.size()) {
    if (status.text.compare(at, 2, "; ") != 0)
      throw std::runtime_error("Cache-Status: " + status.text);
    const std::size_t end = std::min(status.text.find("; ", at + 2), status.text.size());
    const std::string parameter = status.text.substr(at + 2, end - at - 2);
    const std::size_t equals = parameter.find('=');
    const std::string name = parameter.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : parameter.substr(equals + 1);
    if (name == "hit") status.hit = true;
    if (name == "stored") status.stored = true;
    if (name == "collapsed") status.collapsed = true;
    if (name == "ttl") status.ttl = std::stoi(value);
    if (name == "fwd") status.fwd = value;
    if (name == "detail") status.detail = value;
    at = end;
  }
  return status;
}

}  // namespace weir::test
