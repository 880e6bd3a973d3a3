// What an object is called in Redis (docs/REDIS_FORMAT.md): a name that says what it is about to
// who looks in with redis-cli, and that nobody can steer. Whether it is the one that was asked for
// is told by the key in its value. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::backends::redis {

// "<prefix>r:{32 hex}:example.com/blog" of a response, "<prefix>v:KEY" of a value.
std::string object_name(std::string_view prefix, std::string_view key_bytes);

// Of piece `index` of its body, of that generation: all of a body's pieces have one hash tag.
std::string piece_name(std::string_view prefix, std::string_view key_bytes,
                       std::uint64_t generation, std::uint64_t index);

// Under which instances agree who fetches it: in the slot of its pieces.
std::string claim_name(std::string_view prefix, std::string_view key_bytes);

// What SCAN is to match for all objects whose keys begin with that byte, and for all of ours.
std::string objects_pattern(std::string_view prefix, char first_byte);
std::string all_pattern(std::string_view prefix);

}  // namespace weir::backends::redis
