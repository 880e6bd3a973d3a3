#include "proxy/admin/reply.h"

#include "proxy/admin/json.h"

namespace weir::admin {

Reply error_reply(int status, std::string_view field, std::string_view message) {
  Json error = Json::object();
  if (!field.empty()) error["field"] = field;
  error["message"] = message;
  return {.status = status, .body = text_of({{"error", std::move(error)}})};
}

}  // namespace weir::admin
