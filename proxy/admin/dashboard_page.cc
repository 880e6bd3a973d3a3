#include "proxy/admin/dashboard_page.h"

#include <string>

namespace weir::admin {

Reply dashboard() {
  return {.type = "text/html; charset=utf-8",
          .body = std::string(dashboard_html()),
          .fields = {{"Content-Security-Policy", std::string(dashboard_policy())},
                     {"Referrer-Policy", "no-referrer"},
                     {"Cross-Origin-Resource-Policy", "same-origin"}}};
}

}  // namespace weir::admin
