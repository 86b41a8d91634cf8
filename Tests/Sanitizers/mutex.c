/* Tells ThreadSanitizer of Swift's Mutex on Linux.

   The fast path of a lock is compiled into our code, where the sanitizer sees its atomics. The slow
   path, under contention, is in a library that it does not see: every contended lock would be reported
   as a race. This library, loaded before that one, stands in for the slow path: it calls the original
   and reports the lock as acquired. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define SLOW_LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"

#define SWIFT __attribute__((swiftcall))

/* Swift's `func _lockSlow(_ selfId: UInt32)`. */
typedef SWIFT void SlowLock(uint32_t thread, __attribute__((swift_context)) void *mutex);
SlowLock slow_lock __asm__(SLOW_LOCK);

SWIFT void slow_lock(uint32_t thread, __attribute__((swift_context)) void *mutex) {
  SlowLock *original = (SlowLock *)dlsym(RTLD_NEXT, SLOW_LOCK);
  original(thread, mutex);
  void (*acquire)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "__tsan_acquire");
  if (acquire) acquire(mutex);
}
