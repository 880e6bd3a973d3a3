// Many clients of one URL who wait, of whom one has had a second fetch begun for all.
#pragma once

#include "tests/proxy/flow/flow_fixture.h"

namespace weir::flow {

class CrowdTest : public FlowTest {
 protected:
  static constexpr std::size_t kCrowd = 30;

  // A crowd of one URL, of which the first leads; their patience has ended.
  void impatient_crowd() {
    for (std::size_t i = 0; i < kCrowd; ++i) crowd_.push_back(visit("/a"));
    pass_time(site_->site->config->limits.coalesce_wait_ms - 1);
    ASSERT_EQ(app_.count(), 1U);
    pass_time(1);
    ASSERT_EQ(app_.count(), 2U) << "one second fetch for all";
  }
  // Each of a URL of its own, asked for by so many with these lines.
  void impatient_crowd_of(std::size_t size, const std::string& first = "",
                          const std::string& others = "") {
    const std::size_t before = app_.count();
    const std::string path = "/" + std::to_string(before);
    for (std::size_t i = 0; i < size; ++i) crowd_.push_back(visit(path, i == 0 ? first : others));
    pass_time(site_->site->config->limits.coalesce_wait_ms);
    ASSERT_EQ(app_.count(), before + 2);
  }
  void expect_all_read(std::string_view body) {
    for (std::size_t i = 0; i < kCrowd; ++i) EXPECT_EQ((*crowd_[i])->read(), body) << i;
  }
  // Nothing is left behind, and the next visitor is served as if nothing had been.
  void expect_clean() {
    for (auto& visitor : crowd_) visitor->leave();
    crowd_.clear();
    turn();
    EXPECT_EQ(fills_.size(), 0U);
    EXPECT_EQ(tables_.flights.size(), 0U);
    EXPECT_EQ(tables_.budget.used(), 0U);
  }

  std::vector<std::unique_ptr<Visitor>> crowd_;
};

}  // namespace weir::flow
