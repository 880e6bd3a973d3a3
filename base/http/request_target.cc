#include "base/http/request_target.h"

#include "base/http/authority.h"
#include "base/text.h"

namespace weir::http {
namespace {

void split_query(std::string_view path_and_query, RequestHead& head) {
  const std::size_t mark = path_and_query.find('?');
  head.path = path_and_query.substr(0, mark);
  if (mark == std::string_view::npos) return;
  head.has_query = true;
  head.query = path_and_query.substr(mark + 1);
}

bool split_absolute(std::string_view target, RequestHead& head) {
  std::size_t scheme_size = 0;
  if (starts_with_ignore_case(target, "http://")) scheme_size = 4;
  if (starts_with_ignore_case(target, "https://")) scheme_size = 5;
  if (scheme_size == 0) return false;
  head.scheme = target.substr(0, scheme_size);
  const std::string_view rest = target.substr(scheme_size + 3);
  const std::size_t end = rest.find_first_of("/?");
  head.authority = rest.substr(0, end);
  if (!is_valid_authority(head.authority)) return false;
  if (end != std::string_view::npos) split_query(rest.substr(end), head);
  // RFC 9112 3.2.1 and 3.2.4: an empty path is "/", or "*" where OPTIONS has no query either.
  if (head.path.empty()) {
    head.path = head.method == Method::Options && !head.has_query ? "*" : "/";
  }
  return true;
}

}  // namespace

bool may_start_target(char c, Method method) {
  if (method == Method::Connect) return true;
  return c == '/' || c == 'h' || c == 'H' || (c == '*' && method == Method::Options);
}

bool split_target(std::string_view target, RequestHead& head) {
  head.target = target;
  if (head.method == Method::Connect) {
    head.authority = target;
    return is_valid_authority(target, Port::Required);
  }
  if (target.starts_with('/')) {
    split_query(target, head);
    return true;
  }
  if (target == "*") {
    head.path = target;
    return head.method == Method::Options;
  }
  return split_absolute(target, head);
}

}  // namespace weir::http
