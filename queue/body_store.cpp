// SPDX-License-Identifier: Apache-2.0
// Implements body_store.h. A CMS message's wrapped header block is: what its deliveries share, then for each content an
// empty line and the fields that end the block there. A block without an empty line is from before there were several
// ciphers, and complete.
#include "queue/body_store.h"

#include <algorithm>
#include <deque>
#include <numeric>

#include "base/body_encoder.h"
#include "queue/keys.h"

namespace sealpost {
namespace {

/// Chunks of a put whose outcome is not known, or whose process died, are gone after this long: a slow disk needs a
/// second or two for the largest message, and what nobody will put must not stand in the way of other mail.
constexpr std::string_view orphan_lifetime_s = "300";
constexpr std::string_view empty_line = "\r\n";

/// A run of octets in the body.
struct Range {
  std::uint64_t offset = 0;
  std::uint64_t octets = 0;
};

/// Chunks that are written in one round trip: fewer syncs, and none that keeps other clients waiting for long.
constexpr std::size_t chunks_at_once = 4;

/// Reads ranges of a body; keeps the chunk that it read last.
class ChunkReader final {
 public:
  ChunkReader(redis::Client& redis, MessageId id) : redis_(redis), id_(std::move(id)) {}

  /// The part of the range that lies in its first chunk, until the next call; the range then begins behind it.
  Result<std::string_view> read(Range& range) {
    const auto number = static_cast<std::size_t>(range.offset / chunk_octets);
    if (number != number_ || !chunk_) {
      auto reply = redis_.command({"GET", queue_keys::chunk(id_, number)});
      if (!reply) return reply.error();
      if (reply->is_nil())
        return Error::internal("body of " + id_.text() + ": chunk " + std::to_string(number) + " is missing");
      chunk_ = std::move(*reply);
      number_ = number;
    }
    const std::string_view chunk = chunk_->text();
    const std::size_t begin = range.offset % chunk_octets;
    const std::size_t size = std::min<std::size_t>(range.octets, chunk.size() - std::min(begin, chunk.size()));
    if (size == 0) return Error::internal("body of " + id_.text() + ": chunk " + std::to_string(number) + " is short");
    range.offset += size;
    range.octets -= size;
    return chunk.substr(begin, size);
  }

  Result<std::string> read_all(Range range) {
    std::string all;
    while (range.octets > 0) {
      auto piece = read(range);
      if (!piece) return piece.error();
      all += *piece;
    }
    return all;
  }

 private:
  redis::Client& redis_;
  MessageId id_;
  std::size_t number_ = 0;
  std::optional<redis::Reply> chunk_;
};

/// A sealed message: header block, empty line, then head and content in the transfer encoding that the form needs.
class SealedBody final : public DeliveryBody {
 public:
  SealedBody(ChunkReader reader, WipedBuffer header, bool base64, std::deque<Range> ranges)
      : reader_(std::move(reader)), header_(std::move(header)), base64_(base64), ranges_(std::move(ranges)) {}

  [[nodiscard]] std::string_view header_block() const override { return view(header_); }

  Result<std::string> next() override {
    if (!begun_) {
      begun_ = true;
      return std::string(view(header_)) + std::string(empty_line);
    }
    while (!ranges_.empty()) {
      if (ranges_.front().octets == 0) {
        ranges_.pop_front();
        continue;
      }
      auto piece = reader_.read(ranges_.front());
      if (!piece) return piece.error();
      if (!base64_) return std::string(*piece);
      if (std::string lines = encoder_.update(*piece); !lines.empty()) return lines;
    }
    return base64_ ? encoder_.finish() : std::string();
  }

 private:
  ChunkReader reader_;
  WipedBuffer header_;
  bool base64_;
  bool begun_ = false;
  std::deque<Range> ranges_;
  BodyEncoder encoder_;
};

/// A notice: one wrapped blob that is the whole message.
class NoticeBody final : public DeliveryBody {
 public:
  explicit NoticeBody(WipedBuffer message) : message_(std::move(message)) {}

  [[nodiscard]] std::string_view header_block() const override {
    const auto end = view(message_).find("\r\n\r\n");
    return view(message_).substr(0, end == std::string_view::npos ? end : end + 2);
  }
  Result<std::string> next() override {
    if (sent_) return std::string();
    sent_ = true;
    return std::string(view(message_));
  }

 private:
  WipedBuffer message_;
  bool sent_ = false;
};

std::string text_of(const std::optional<EmailAddress>& sender) { return sender ? sender->text() : std::string(); }

/// What the wrapped part of a body belongs to. Each part has its length before it, as the records are not ours alone to
/// write.
std::string context_of(std::initializer_list<std::string_view> parts) {
  std::string context;
  for (const auto part : parts) context.append(std::to_string(part.size())).append(1, ':').append(part);
  return context;
}

WipedBuffer header_parts(const SealedMessage& message) {
  WipedBuffer parts = message.header_block();
  if (message.form() == SealedMessage::Form::Verbatim) return parts;
  for (const auto& content : message.contents()) {
    append(parts, empty_line);
    append(parts, content.mime_fields);
  }
  return parts;
}

/// The complete block of a delivery that gets this content.
Result<WipedBuffer> header_block_of(WipedBuffer parts, std::uint32_t content) {
  constexpr std::string_view separator = "\r\n\r\n";
  const auto end_of_line = std::string_view("\r\n").size();
  const std::size_t shared = view(parts).find(separator);
  if (shared == std::string_view::npos) return parts;
  std::size_t at = shared;
  for (std::uint32_t before = 0; before < content && at != std::string_view::npos; ++before) {
    at = view(parts).find(separator, at + separator.size());
  }
  if (at == std::string_view::npos) return Error::internal("a header block has no fields for this content");
  const std::size_t fields = at + separator.size();
  const std::size_t next = std::min(view(parts).find(separator, fields), parts.size() - end_of_line);
  WipedBuffer block;
  append(block, view(parts).substr(0, shared + end_of_line));
  append(block, view(parts).substr(fields, next + end_of_line - fields));
  return block;
}

BodyKind kind_of(const Notice& notice) {
  switch (notice.kind()) {
    case Notice::Kind::Notification:
      return BodyKind::Notification;
    case Notice::Kind::SenderCode:
      return BodyKind::SenderCode;
    default:
      return BodyKind::OtherNotice;
  }
}

void finish_layout(StoredBody& body) {
  body.layout.body_octets = body.octets.size();
  body.layout.chunks = static_cast<std::uint32_t>((body.octets.size() + chunk_octets - 1) / chunk_octets);
}

}  // namespace

Result<StoredBody> lay_out(const SealedMessage& message, const Envelope& envelope, Wrapper& wrapper) {
  const std::string context = context_of({envelope.id.text(), text_of(envelope.mail_from)});
  auto header = wrapper.wrap(Purpose::HeaderBlock, context, view(header_parts(message)));
  if (!header) return header.error();
  StoredBody body;
  const bool cms = message.form() == SealedMessage::Form::Cms;
  body.layout.kind = cms ? BodyKind::Cms : BodyKind::Verbatim;
  body.layout.header_octets = header->size();
  std::size_t total = header->size();
  for (const auto& head : message.heads()) total += head.der.size();
  for (const auto& content : message.contents()) total += content.octets.size();
  body.octets.reserve(total);
  body.octets += *header;
  const std::uint64_t plain_header = message.header_block().size() + empty_line.size();
  for (const auto& head : message.heads()) {
    body.places.push_back({body.octets.size(), head.der.size(), head.content});
    const auto& content = message.contents().at(head.content);
    const std::uint64_t octets = head.der.size() + content.octets.size();
    body.sizes.push_back(plain_header + content.mime_fields.size() + (cms ? encoded_size(octets) : octets));
    body.octets += head.der;
  }
  for (const auto& content : message.contents()) {
    body.layout.content_octets.push_back(content.octets.size());
    body.octets += content.octets;
  }
  finish_layout(body);
  return body;
}

Result<StoredBody> lay_out(const Notice& notice, const Envelope& envelope, const Addressee& addressee,
                           Wrapper& wrapper) {
  const std::string context = context_of({envelope.id.text(), text_of(envelope.mail_from), addressee.address.text(),
                                          addressee.address.domain().a_label()});
  auto blob = wrapper.wrap(Purpose::Notice, context, view(notice.message()));
  if (!blob) return blob.error();
  StoredBody body;
  body.layout.kind = kind_of(notice);
  body.octets = std::move(*blob);
  body.places.push_back({});
  body.sizes.push_back(notice.message().size());
  finish_layout(body);
  return body;
}

std::uint64_t octets_in_redis(const StoredBody& body) { return body.octets.size() + body.octets.size() / 4; }

Status write_chunks(redis::Client& redis, const MessageId& id, const StoredBody& body, Log& log) {
  const std::string_view octets = body.octets;
  for (std::size_t first = 0; first < body.layout.chunks; first += chunks_at_once) {
    const std::size_t end = std::min<std::size_t>(first + chunks_at_once, body.layout.chunks);
    std::vector<std::string> keys;
    for (std::size_t number = first; number < end; ++number) keys.push_back(queue_keys::chunk(id, number));
    std::vector<redis::Client::Words> commands;
    for (std::size_t number = first; number < end; ++number) {
      const auto piece = octets.substr(number * chunk_octets, chunk_octets);
      commands.push_back({"SET", keys[number - first], piece, "EX", orphan_lifetime_s});
    }
    if (auto replies = redis.pipeline_views(commands); !replies) {
      remove_chunks(redis, id, body, log);
      return replies.error();
    }
  }
  return {};
}

void remove_chunks(redis::Client& redis, const MessageId& id, const StoredBody& body, Log& log) {
  redis::Command command = {"UNLINK"};
  for (std::size_t number = 0; number < body.layout.chunks; ++number) command.push_back(queue_keys::chunk(id, number));
  // With Redis away they expire.
  if (auto removed = redis.command(command); !removed) log.failure("queue.chunks_left", removed.error());
}

Result<std::unique_ptr<DeliveryBody>> open_body(redis::Client& redis, Wrapper& wrapper, const Claim& claim) {
  const DeliveryId& id = claim.delivery.id;
  const MessageRecord& layout = claim.message;
  const BodyPlace& place = claim.place;
  ChunkReader reader(redis, id.message());
  const bool notice = is_notice(layout.kind);
  auto blob = reader.read_all({0, notice ? layout.body_octets : layout.header_octets});
  if (!blob) return blob.error();
  const std::string& sender = layout.mail_from;
  const std::string context =
      notice ? context_of({id.message().text(), sender, claim.delivery.recipient, claim.delivery.domain})
             : context_of({id.message().text(), sender});
  auto plain = wrapper.unwrap(notice ? Purpose::Notice : Purpose::HeaderBlock, context, *blob);
  if (!plain) return plain.error();
  if (notice) return std::unique_ptr<DeliveryBody>(std::make_unique<NoticeBody>(std::move(*plain)));

  auto header = layout.kind == BodyKind::Cms ? header_block_of(std::move(*plain), place.content) : std::move(plain);
  if (!header) return header.error();
  const auto& sizes = layout.content_octets;
  if (place.content >= sizes.size()) return Error::internal("body of " + id.text() + ": no such content");
  const auto before = sizes.begin() + static_cast<std::ptrdiff_t>(place.content);
  const std::uint64_t contents_begin =
      layout.body_octets - std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
  const Range content{contents_begin + std::accumulate(sizes.begin(), before, std::uint64_t{0}), *before};
  return std::unique_ptr<DeliveryBody>(
      std::make_unique<SealedBody>(std::move(reader), std::move(*header), layout.kind == BodyKind::Cms,
                                   std::deque<Range>{{place.head_offset, place.head_octets}, content}));
}

}  // namespace sealpost
