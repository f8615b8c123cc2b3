/** What a kernel answers to a question for completions. */
import type { Kernel, KernelMessage } from '@jupyterlab/services';

export type Answer = KernelMessage.ICompleteReplyMsg['content'];

/** Null where the kernel ends, or the connection to it, before it answers. */
export async function answerTo(
  kernel: Pick<Kernel.IKernelConnection, 'requestComplete'>,
  code: string,
  cursor: number
): Promise<Answer | null> {
  try {
    return (await kernel.requestComplete({ code, cursor_pos: cursor })).content;
  } catch {
    return null;
  }
}
