// From a configuration and the backends of its names to a Site. Pure; any thread.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "backends/backend.h"
#include "conf/config.h"
#include "proxy/flow/site.h"
#include "proxy/upstream/upstream_pool.h"

namespace weir {

using BackendMap = std::unordered_map<std::string, std::shared_ptr<backends::Backend>>;

// `backends` has one for each that the configuration names.
std::shared_ptr<const flow::Site> make_site(const std::shared_ptr<const conf::Config>& config,
                                            const upstream::UpstreamPool& pool,
                                            const BackendMap& backends);

std::shared_ptr<backends::Backend> make_ram(const conf::Backend& backend);

}  // namespace weir
