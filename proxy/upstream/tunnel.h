// A fetch that asks for a protocol upgrade: our own head on a connection of its own, the answer
// read by AnswerReader; after a 101 raw bytes both ways, as fast as both sides take them. Any other
// answer is an ordinary one, and the connection ends with it. Loop thread only.
#pragma once

#include <memory>

#include "proxy/upstream/curl_loop.h"
#include "proxy/upstream/fetcher.h"
#include "proxy/upstream/upstream_pool.h"

namespace weir::upstream {

// Its connection is not counted among the loop's bounded ones. Never calls the sink before it
// returns.
std::unique_ptr<Fetch> make_tunnel(CurlLoop& curl, UpstreamPool& pool, FetchRequest request,
                                   FetchSink& sink);

}  // namespace weir::upstream
