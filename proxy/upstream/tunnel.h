// A fetch that asks for a protocol upgrade: our own head on a connection of its own, the answer
// read by AnswerReader; after a 101 a Tunnel, raw bytes both ways as fast as both sides take them.
// Any other answer is an ordinary one, and the connection ends with it. It has one of the places
// (connection_places.h) until the 101, for an app that agrees to tunnels has made room for them,
// and they may last for hours. Loop thread only.
#pragma once

#include <memory>

#include "proxy/upstream/fetcher.h"
#include "proxy/upstream/upstream_pool.h"
#include "proxy/upstream/wire_pool.h"

namespace weir::upstream {

// Never calls the sink before it returns.
std::unique_ptr<Fetch> make_tunnel(WirePool& wires, UpstreamPool& pool, FetchRequest request,
                                   FetchSink& sink);

}  // namespace weir::upstream
