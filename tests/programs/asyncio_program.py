import asyncio

import matplotlib.pyplot as plt


async def load(n):
    await asyncio.sleep(0.01)
    return n * n


async def main():
    values = await asyncio.gather(*(load(n) for n in range(5)))
    plt.plot(sorted(values))
    plt.show()


asyncio.run(main())
