#include "backends/redis/command.h"

#include <hiredis/hiredis.h>

#include <new>
#include <vector>

namespace weir::backends::redis {

Commands& Commands::add(std::span<const std::string_view> words) {
  std::vector<const char*> starts;
  std::vector<std::size_t> sizes;
  starts.reserve(words.size());
  sizes.reserve(words.size());
  for (const std::string_view word : words) {
    starts.push_back(word.data() ? word.data() : "");
    sizes.push_back(word.size());
  }
  char* formatted = nullptr;
  const auto bytes = redisFormatCommandArgv(&formatted, static_cast<int>(words.size()),
                                            starts.data(), sizes.data());
  if (bytes < 0) throw std::bad_alloc();
  bytes_.append(formatted, static_cast<std::size_t>(bytes));
  redisFreeCommand(formatted);
  ends_.push_back(bytes_.size());
  return *this;
}

Commands Commands::each_behind(std::string_view word) const {
  Commands out;
  std::size_t at = 0;
  for (const std::size_t end : ends_) {
    out.add({word});
    out.bytes_.append(bytes_, at, end - at);
    out.ends_.push_back(out.bytes_.size());
    at = end;
  }
  return out;
}

}  // namespace weir::backends::redis
