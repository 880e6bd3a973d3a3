// The dashboard, GET / of the admin address: one page without any data in it, which asks /v1/stats
// for that. Made at build time of the files in dashboard/ (embed.py). Any thread.
#pragma once

#include <string_view>

#include "proxy/admin/calls.h"

namespace weir::admin {

// The page; styles and scripts stand in it.
std::string_view dashboard_html();
// Its Content-Security-Policy: nothing runs in it but those scripts, and it asks nobody but the
// address that it came from.
std::string_view dashboard_policy();

// What the call answers.
Reply dashboard();

}  // namespace weir::admin
