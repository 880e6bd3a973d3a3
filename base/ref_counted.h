// Shared ownership of immutable things by a count inside the object: one pointer wide, one
// allocation, safe to copy on any thread. A class derives from RefCounted<itself>.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace weir {

template <class T>
class Ref;

template <class T>
class RefCounted {
 public:
  RefCounted(const RefCounted&) = delete;  // NOLINT(bugprone-crtp-*): deleted, so nobody's
  RefCounted& operator=(const RefCounted&) = delete;

  // As Ref::use_count, for whoever keeps references detached.
  std::uint32_t use_count() const { return count_.load(std::memory_order_acquire); }

 private:
  friend T;
  RefCounted() = default;
  ~RefCounted() = default;

  template <class>
  friend class Ref;
  mutable std::atomic<std::uint32_t> count_{0};
};

// A counted pointer; null is allowed. T may supply `static void destroy(const T*)` when it was
// not made by plain `new`.
template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}  // NOLINT: null converts, as with every smart pointer
  explicit Ref(T* object) : object_(object) { acquire(); }
  Ref(const Ref& other) : object_(other.object_) { acquire(); }
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Ref(Ref<U> other) : object_(other.detach()) {}  // NOLINT: upcasts convert
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() { release(); }

  T* get() const { return object_; }
  T& operator*() const { return *object_; }
  T* operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }
  friend bool operator==(const Ref& a, const Ref& b) { return a.object_ == b.object_; }

  // How many references exist; a hint unless the caller holds the only way to make more.
  std::uint32_t use_count() const { return object_ ? object_->use_count() : 0; }
  // Gives the reference away without dropping it; adopt() takes it up again.
  T* detach() { return std::exchange(object_, nullptr); }
  static Ref adopt(T* object) {
    Ref ref;
    ref.object_ = object;
    return ref;
  }

 private:
  // Of T itself, or of a class that T derives from.
  template <class U>
  static auto& counter_of(const RefCounted<U>& counted) {
    return counted.count_;
  }
  auto& counter() const { return counter_of(*object_); }
  void acquire() {
    if (object_) counter().fetch_add(1, std::memory_order_relaxed);
  }
  void release() {
    if (object_ && counter().fetch_sub(1, std::memory_order_acq_rel) == 1) {
      if constexpr (requires(const T* p) { T::destroy(p); }) {
        T::destroy(object_);
      } else {
        delete object_;
      }
    }
    object_ = nullptr;
  }

  T* object_ = nullptr;
};

template <class T, class... Args>
Ref<T> make_ref(Args&&... args) {
  return Ref<T>(new T(std::forward<Args>(args)...));
}

}  // namespace weir
