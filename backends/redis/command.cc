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
  ++count_;
  return *this;
}

}  // namespace weir::backends::redis
