// Browsers start no worker for a page from the disk; the search, which is one, then runs in a hidden frame of the page.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      this.started = new Promise(resolve => frame.addEventListener("load", () => resolve(frame.contentWindow)))
      document.body.append(frame)
      const inside = frame.contentWindow
      inside.document.open()
      // what the script says goes to those who listen here
      inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
      const script = inside.document.createElement("script")
      script.src = url
      inside.document.append(inside.document.createElement("html"))
      inside.document.documentElement.append(script)
      inside.document.close()
    }

    // What is said to the script waits until it listens.
    postMessage(data) {
      this.started.then(inside => inside.dispatchEvent(new MessageEvent("message", { data })))
    }

    terminate() {}
  }
}
