// SPDX-License-Identifier: Apache-2.0
// Golden dialogues: a text file of what a client says and what is answered to the session's actions is played through a
// Session, and what the session says and asks is written into it.
//
// Lines:  C: text       the client says text CRLF; lines in a row are one packet
//         c: text       the same without CRLF
//         R: result     the answer to the next action (default: the first one that lets it pass)
//         E: tls        an event: the handshake is done (tls), smtp.idle_timeout has passed (idle)
//         S: line       the session's reply                                       } these are made, and compared
//         A: action     what the session asks for                                 }
//         N: starttls   the session wants TLS now (starttls), or to close (close) }
//         @ name value  before the first line: tls, login, uncut, size N, recipients N, budget N
//         # comment
// In text \r \n \0 \\ and \xHH are octets, and \(N:text) is text N times.
#pragma once

#include <string>
#include <vector>

namespace sealpost::test {

struct Dialogue {
  struct Line {
    char kind;
    std::string text;
  };
  std::string name;
  std::vector<Line> lines;
};

Dialogue parse_dialogue(const std::string& name, const std::string& text);

/// How a packet reaches the session.
struct Cut {
  enum class Kind { Whole, EachOctet, At } kind = Kind::Whole;
  std::size_t at = 0;  ///< only for At
};

/// Plays what the client says and writes the whole file anew.
std::string play(const Dialogue& dialogue, Cut cut);
/// The longest packet's octets.
std::size_t longest_packet(const Dialogue& dialogue);

std::string unescape(const std::string& text);
std::string escape(std::string_view octets);

}  // namespace sealpost::test
