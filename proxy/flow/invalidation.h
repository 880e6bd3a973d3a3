// Invalidation (RFC 9111 4.4): what the success of an unsafe request has made doubtful is marked in
// the purge book, under the names that the routes give it. Any thread.
#pragma once

#include "base/http/message.h"
#include "proxy/flow/purge_book.h"
#include "proxy/flow/site.h"
#include "proxy/policy/invalidate.h"

namespace weir::flow {

void invalidate(const Site& site, http::Method method, const policy::TargetUri& target,
                const http::ResponseHead& answer, PurgeBook& book);

}  // namespace weir::flow
