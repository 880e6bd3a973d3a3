// What `weir top` shows, as text: rates from the difference of two looks, or from what there was
// since the instance started where there is one look only. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/admin/stats_sample.h"

namespace weir::admin {

struct ViewSize {
  std::size_t columns = 0;  // 0: as wide as it gets
  std::size_t rows = 0;     // 0: as long
};

// Lines, each with its end. `before` is an earlier look at the same instance; `where`: its address.
std::string draw_top(const Sample& now, const std::optional<Sample>& before, std::string_view where,
                     ViewSize size);

}  // namespace weir::admin
