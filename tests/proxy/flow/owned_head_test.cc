#include <gtest/gtest.h>

#include <optional>

#include "proxy/flow/fill.h"

namespace weir::flow {
namespace {

// The head of a request without fields, as an HTTP/1.0 client may send it.
http::RequestHead bare(const std::string& bytes) {
  http::RequestHead head;
  head.method = http::Method::Get;
  head.method_text = std::string_view(bytes).substr(0, 3);
  head.target = head.path = std::string_view(bytes).substr(4);
  return head;
}

TEST(OwnedHead, KeepsItsViewsWhenItIsMoved) {
  // However short: such bytes would lie inside a string, and move with it.
  const std::string first = "GET /a.css";
  const std::string second = "GET /b.png";
  std::optional<OwnedHead> place(bare(first));
  const OwnedHead moved(std::move(*place));
  place.emplace(bare(second));
  EXPECT_EQ(moved.get().path, "/a.css");
  EXPECT_EQ(moved.get().method_text, "GET");
}

}  // namespace
}  // namespace weir::flow
