// types.ts - uses of the package that must compile, and some that must not.
import { createEngine, models, TrustError, type Engine, type ChatChunk } from 'retort-web'

export async function use(file: File): Promise<string> {
  const engine: Engine = await createEngine({ model: file, trust: { keys: ['-----BEGIN PUBLIC KEY-----'] }, onProgress: (p) => p.loaded / p.total, signal: new AbortController().signal })
  let text = ''
  const stream = await engine.chat.completions.create({ messages: [{ role: 'user', content: 'hello' }], stream: true, seed: 7n, max_reasoning_tokens: 512 })
  for await (const chunk of stream) {
    const c: ChatChunk = chunk
    text += c.choices[0].delta.reasoning_content ?? c.choices[0].delta.content ?? ''
  }
  const whole = await engine.chat.completions.create({ messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }] })
  const count: number = whole.usage.completion_tokens_details.reasoning_tokens + engine.info.context + (await engine.tokenize('a')).length
  const likely: number | undefined = whole.choices[0].logprobs?.content[0]?.top_logprobs[0]?.logprob
  const digest: string = (await engine.digests())[0]! + JSON.stringify((new Error() as TrustError).toJSON().error.code) + likely
  // @ts-expect-error: there is no policy by default
  createEngine({ model: file })
  // @ts-expect-error: no such member
  engine.chat.completions.create({ messages: [], temprature: 1 })
  await models.remove((await models.list())[0]!.url)
  try {
    await engine.dispose()
  } catch (error) {
    if (error instanceof TrustError) return error.code
  }
  return text + whole.choices[0].message.content + count + digest
}
