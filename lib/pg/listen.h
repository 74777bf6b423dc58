// A connection that only listens: notifications of PostgreSQL channels, in the order of their
// commits. What is notified while nobody listens is gone. One thread.
// PostgreSQL documentation, LISTEN, NOTIFY, and libpq's "Asynchronous Notification".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pg/connection.h"

namespace rt {

struct Notification {
  std::string_view channel;
  std::string_view payload;  // up to 7,999 bytes
  std::uint32_t pid = 0;     // of the backend that notified
};

// Channel names have 1 to 63 bytes.
Result<void> check_channel_name(std::string_view name);

// Move-only. After an error, destroy it.
class Listen {
 public:
  // Listens on every channel from its return on. Names are taken as they stand, capitals too.
  static Result<Listen> start(const std::string& dsn, const std::vector<std::string>& channels,
                              const ConnectOptions& options);
  Listen(Listen&& other) noexcept;
  Listen& operator=(Listen&&) = delete;
  ~Listen();

  // The next one that has arrived, valid until the next call; nullopt: wait() and ask again.
  std::optional<Notification> next();
  // Until something may have arrived. Errors: unreachable (the connection is lost), cancelled.
  Result<void> wait();

  const Connection& connection() const { return connection_; }

 private:
  explicit Listen(Connection connection) : connection_(std::move(connection)) {}

  Connection connection_;
  void* last_ = nullptr;  // libpq's PGnotify, which has no name to declare ahead
};

}  // namespace rt
