// SPDX-License-Identifier: Apache-2.0
// Implements reply.h.
#include "base/redis/reply.h"

namespace sealpost::redis {

std::string_view ReplyView::text() const {
  switch (reply_->type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
      return {reply_->str, reply_->len};
    default:
      return {};
  }
}

}  // namespace sealpost::redis
