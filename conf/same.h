// Whether parts of two configurations say the same, field by field. Pure.
#pragma once

#include <vector>

#include "conf/config.h"

namespace weir::conf {

bool same(const Backend& a, const Backend& b);
bool same(const Upstream& a, const Upstream& b);
bool same(const std::vector<Cidr>& a, const std::vector<Cidr>& b);

}  // namespace weir::conf
