import Parvis

extension Meeting {
    /// Goes over to another network at each change, until the meeting is over, the changes are or the task is cancelled.
    func move(at changes: AsyncStream<Void>) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Where it fails the meeting reconnects by itself.
                for await _ in changes { try? await self.rebind() }
            }
            group.addTask {
                for await _ in self.events() {}
            }
            await group.next()
            group.cancelAll()
        }
    }
}
