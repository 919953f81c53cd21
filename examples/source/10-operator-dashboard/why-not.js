// Without payload: the page keeps what it has, and says since when.
return { problem: msg.error.message.replace(/^Error: /, '') };
