// From a configuration and the backends of its names to a Site. Pure but for what `as_one` does.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "backends/backend.h"
#include "backends/ram/ram_backend.h"
#include "conf/config.h"
#include "proxy/flow/site.h"
#include "proxy/upstream/upstream_pool.h"

namespace weir {

using BackendMap = std::unordered_map<std::string, std::shared_ptr<backends::Backend>>;
// Several tiers as one backend.
using AsOne = std::function<std::shared_ptr<backends::Backend>(
    std::vector<std::shared_ptr<backends::Backend>> tiers)>;

// `backends` has one for each that the configuration names.
std::shared_ptr<const flow::Site> make_site(std::shared_ptr<const conf::Config> config,
                                            std::shared_ptr<upstream::UpstreamPool> upstreams,
                                            const BackendMap& backends, const AsOne& as_one);

std::shared_ptr<upstream::UpstreamPool> make_upstreams(const conf::Config& config);
backends::RamOptions ram_options(const conf::Backend& backend);

}  // namespace weir
