// Shows one slide at a time. The number of the slide is in the address.
(() => {
  "use strict"
  const slides = Array.from(document.querySelectorAll(".slide"))
  const [controls, previous, number, next] = ["controls", "previous", "number", "next"].map(
    id => document.getElementById(id))
  let current = -1

  const show = index => {
    index = Math.max(0, Math.min(slides.length - 1, index))
    if (index === current) return
    current = index
    slides.forEach((slide, other) => slide.classList.toggle("current", other === index))
    number.textContent = `${index + 1} / ${slides.length}`
    previous.disabled = index === 0
    next.disabled = index === slides.length - 1
    document.documentElement.style.setProperty("--done", (index + 1) / slides.length)
    // The keys that scroll are for the slide.
    slides[index].focus({ preventScroll: true })
    // A frame without an address of its own has no history.
    try { history.replaceState(null, "", `#${index + 1}`) } catch {}
  }

  // The slide of a number, or of a link to a heading.
  const follow = () => {
    const name = decodeURIComponent(location.hash.slice(1))
    const target = name && document.getElementById(name)
    const slide = target ? target.closest(".slide") : slides[0]
    if (!slide) return
    show(slides.indexOf(slide))
    if (target && target !== slide) target.scrollIntoView()
  }

  // Whether something that scrolls sideways wants the key or the touch.
  const scrollsSideways = target => {
    for (let element = target; element instanceof Element; element = element.parentElement) {
      if (element.scrollWidth > element.clientWidth + 1
        && ["auto", "scroll"].includes(getComputedStyle(element).overflowX)) return true
    }
    return false
  }

  // The space bar scrolls a long slide to its end first.
  const scroll = direction => {
    const slide = slides[current]
    const left = direction > 0
      ? slide.scrollHeight - slide.clientHeight - slide.scrollTop : slide.scrollTop
    if (left < 2) return false
    slide.scrollBy({ top: direction * slide.clientHeight * 0.85 })
    return true
  }

  addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const control = event.target.closest?.("a, button, summary")
    const sideways = event.target.closest?.("pre") && scrollsSideways(event.target)
    switch (event.key) {
      case "ArrowRight": if (sideways) return; show(current + 1); break
      case "ArrowLeft": if (sideways) return; show(current - 1); break
      case "PageDown": show(current + 1); break
      case "PageUp": show(current - 1); break
      case "Home": show(0); break
      case "End": show(slides.length - 1); break
      case " ": {
        if (control) return
        const direction = event.shiftKey ? -1 : 1
        if (!scroll(direction)) show(current + direction)
        break
      }
      case "f":
        if (document.fullscreenElement) document.exitFullscreen()
        else document.documentElement.requestFullscreen?.()
        break
      default: return
    }
    event.preventDefault()
  })

  let start = null
  addEventListener("touchstart", event => {
    const isZoomed = window.visualViewport && visualViewport.scale > 1.05
    const isOne = event.touches.length === 1
    start = isOne && !isZoomed && !scrollsSideways(event.target) ? event.touches[0] : null
  }, { passive: true })
  addEventListener("touchend", event => {
    if (!start) return
    const end = event.changedTouches[0]
    const [x, y] = [end.clientX - start.clientX, end.clientY - start.clientY]
    start = null
    if (Math.abs(x) > 50 && Math.abs(x) > 2 * Math.abs(y)) show(current + (x < 0 ? 1 : -1))
  }, { passive: true })

  previous.addEventListener("click", () => show(current - 1))
  next.addEventListener("click", () => show(current + 1))
  addEventListener("hashchange", follow)
  controls.hidden = false
  document.documentElement.classList.add("paged")
  follow()
})()
