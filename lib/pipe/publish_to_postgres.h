// Messages as statements on one connection to PostgreSQL, each committed when send() returns; and
// the simplest of them, a notification.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "pg/connection.h"
#include "pipe/publish_sink.h"

namespace rt {

struct PublishDatabase {
  std::string dsn;
  int cancel_fd = -1;  // ends every wait when it becomes readable
  std::string application_name = "rtctl publish";
};

// Holds the connection: made when first needed, and anew after it was lost.
class PostgresPublishSink : public PublishSink {
 public:
  explicit PostgresPublishSink(PublishDatabase target) : target_(std::move(target)) {}

  Result<void> connect() override;
  Result<PublishReceipt> send(const PublishMessage& message) override;

 protected:
  // Right after each connect.
  virtual Result<void> begin(Connection&) { return {}; }
  virtual Result<PublishReceipt> execute(Connection& connection, const PublishMessage& message) = 0;

 private:
  PublishDatabase target_;
  std::optional<Connection> connection_;
};

// Messages are payloads.
std::unique_ptr<PublishSink> publish_to_notify(PublishDatabase target, std::string channel);

// PostgreSQL refuses a longer payload (NOTIFY_PAYLOAD_MAX_LENGTH, 8000, is one more).
inline constexpr std::size_t kNotifyPayloadBytesMax = 7999;

}  // namespace rt
