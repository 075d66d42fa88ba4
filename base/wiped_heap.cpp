// SPDX-License-Identifier: Apache-2.0
// Whatever C++ code frees is wiped first: a program linked with this library leaves no copy of a code, a link or a
// header field in memory that it has given back, not even where a library keeps it in strings of its own. What a type
// promises (secret.h) holds everywhere; this holds for what passes through types that promise nothing.
#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <new>

// Sanitizers bring operators of their own, which watch what is freed.
#if !defined(SEALPOST_SANITIZED)

// The forms for arrays end here, too ([new.delete.array]); over-aligned types are left alone, none holds text.
void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  explicit_bzero(memory, malloc_usable_size(memory));
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc): what libstdc++'s operator new took from malloc
}

void operator delete(void* memory, std::size_t /*size*/) noexcept { operator delete(memory); }

#endif
