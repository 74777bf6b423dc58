// A recorder that goes on must know the transactions that were prepared and have not ended: the
// server does not send their rows again.
#pragma once

#include <string>

#include "base/result.h"
#include "pipe/prepared_transactions.h"

namespace rt::rtreplay {

// Reads them from the archive, of which only the blocks that hold such records are looked at.
Result<void> restore_prepared(const std::string& archive, PreparedTransactions& prepared);

}  // namespace rt::rtreplay
